import { RE2JS } from 're2js';
import { TemplateError } from './template-value.ts';

/** Longest pattern of `match` and `reReplaceAll`, in characters. */
const PATTERN_MAX = 1000;
/** Most characters that all replacements of one `reReplaceAll` may come to. */
const REPLACED_MAX = 65_536;

/** Compiled as RE2, which a template's author writes. */
export function templatePattern(source: string): RE2JS {
  if (source.length > PATTERN_MAX)
    throw new TemplateError(`the pattern is longer than ${PATTERN_MAX} characters`);
  try {
    return RE2JS.compile(source);
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : 'error parsing regexp', {
      cause: error,
    });
  }
}

/** `$1`, `$name`, `${name}` and `$$` in the replacement, as regexp.Expand reads them: the longest name. */
export function replaceAll(source: string, replacement: string, subject: string): string {
  const compiled = templatePattern(source);
  let total = 0;
  return compiled.matcher(subject).replaceAll((...groups: unknown[]) => {
    const named = groups.at(-1);
    const expanded = replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return '$';
      const found = /^\d+$/.test(name)
        ? capture(groups, Number(name), compiled.groupCount())
        : byName(named, name);
      return typeof found === 'string' ? found : '';
    });
    total += expanded.length;
    if (total > REPLACED_MAX) throw new TemplateError(`the result is longer than ${REPLACED_MAX} characters`);
    return expanded;
  });
}

function capture(groups: readonly unknown[], at: number, total: number): unknown {
  return at <= total ? groups[at] : '';
}

function byName(named: unknown, name: string): unknown {
  return typeof named === 'object' && named !== null && Object.hasOwn(named, name)
    ? Reflect.get(named, name)
    : '';
}

/** strings.Title: the first letter of each word; a word begins after what is no letter, digit or underscore. */
export function titleCase(subject: string): string {
  return subject.replace(
    /(^|[^\p{L}\p{Nd}_])(\p{Ll})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}
