import { LineCounter, Scalar, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { z } from 'zod';
import { expandMergeKeys } from '../model/yaml-merge.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import type { Problem } from '../model/problem.ts';
import { keysAt, keysOf } from './schema-keys.ts';

/** YAML text checked against a schema. Every problem points at the line, the column and the key it is about. */
export type CheckedYaml<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly problemAt: ProblemAt }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

/** A problem found later with a value that the schema accepted: it points where the value stands. */
export type ProblemAt = (path: readonly (string | number)[], message: string) => Problem;

/** Resolves `${env:NAME}` and `${file:PATH}` in one scalar; throws an Error whose message says what is missing. */
export type Interpolate = (text: string) => string;

type Path = readonly PropertyKey[];

export function checkYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  interpolate?: Interpolate,
): CheckedYaml<T> {
  const reader = new YamlReader(text, file, keysOf(schema));
  if (reader.problems.length > 0) return { kind: 'bad', problems: reader.problems };
  if (interpolate !== undefined) reader.interpolate(interpolate);
  if (reader.problems.length > 0) return { kind: 'bad', problems: reader.problems };
  const parsed = schema.safeParse(reader.value() ?? {});
  if (parsed.success) return { kind: 'ok', value: parsed.data, problemAt: reader.problemAt };
  for (const issue of parsed.error.issues) reader.report(issue);
  return { kind: 'bad', problems: reader.problems };
}

/** A parsed document that knows where each path of keys stands in the text. */
class YamlReader {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #keys: ReadonlyMap<string, readonly string[]>;
  readonly #lines: readonly string[];
  readonly #counter = new LineCounter();
  readonly #document: Document;
  /** Scalars that came from the environment or a file: their text is never shown. */
  readonly #secret = new Set<unknown>();

  constructor(text: string, file: string, keys: ReadonlyMap<string, readonly string[]>) {
    this.#file = file;
    this.#keys = keys;
    this.#lines = text.split(/\r?\n/);
    this.#document = parseDocument(text, {
      lineCounter: this.#counter,
      uniqueKeys: true,
      prettyErrors: false,
    });
    for (const problem of [...this.#document.errors, ...this.#document.warnings]) {
      this.#add(problem.pos[0], '', problem.message);
    }
    if (this.problems.length > 0) return;
    for (const { offset, message } of expandMergeKeys(this.#document)) this.#add(offset, '<<', message);
  }

  value(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 });
  }

  interpolate(resolve: Interpolate): void {
    const met = new Set<Scalar>();
    visit(this.#document, {
      Scalar: (key, node: Scalar) => {
        // A node that a merge key brought in is met more than once.
        if (key === 'key' || typeof node.value !== 'string' || met.has(node)) return;
        met.add(node);
        if (!node.value.includes('${')) return;
        try {
          node.value = resolve(node.value);
          this.#secret.add(node);
        } catch (error) {
          this.#add(node.range?.[0] ?? 0, '', (error as Error).message);
        }
      },
    });
  }

  readonly problemAt: ProblemAt = (path, message) => {
    this.#add(this.#offsetAt(path), keyText(path), message, this.#secret.has(this.#nodeAt(path)));
    return this.problems.at(-1)!;
  };

  report(issue: z.core.$ZodIssue): void {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#reportUnknownKey(issue.path, key);
      return;
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0]!;
      // Where no member knows the keys, what any one of them lacks is beside the point.
      const said = issue.errors.every((inner) => inner.some(isUnknownKey))
        ? deepest.filter(isUnknownKey)
        : deepest;
      for (const inner of said) this.report({ ...inner, path: [...issue.path, ...inner.path] });
      return;
    }
    const node = this.#nodeAt(issue.path);
    this.#add(
      this.#offsetAt(issue.path),
      keyText(issue.path),
      describe(issue, node, this.#secret.has(node)),
      this.#secret.has(node),
    );
  }

  #reportUnknownKey(path: Path, key: string): void {
    const names = path.filter((part) => typeof part !== 'number').map(String);
    const accepted = keysAt(this.#keys, names);
    const meant = didYouMean(key, accepted);
    const hint =
      meant !== undefined
        ? `; did you mean "${meant}"?`
        : accepted.length > 0
          ? `; accepted: ${accepted.join(', ')}`
          : '';
    this.#add(this.#offsetAt([...path, key], true), keyText([...path, key]), `unknown key${hint}`);
  }

  #nodeAt(path: Path): Node | undefined {
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path as unknown[], true);
    return (node ?? undefined) as Node | undefined;
  }

  /** Where a path stands: its value, or its key where asked or where the value is missing, or the nearest parent. */
  #offsetAt(path: Path, key = false): number {
    for (let length = path.length; length >= 0; length--) {
      const part = path.slice(0, length);
      if (length > 0) {
        const pair = this.#pairAt(part);
        const wanted = key || length < path.length ? pair?.key : (pair?.value ?? pair?.key);
        const range = (wanted as Node | null | undefined)?.range;
        if (range) return range[0];
      }
      const node = this.#nodeAt(part);
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  #pairAt(path: Path): Pair | undefined {
    const parent = this.#nodeAt(path.slice(0, -1));
    const last = path.at(-1);
    if (isMap(parent))
      return parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(last));
    if (isSeq(parent) && typeof last === 'number')
      return { key: parent.items[last], value: parent.items[last] } as Pair;
    return undefined;
  }

  #add(offset: number, key: string, message: string, secret = false): void {
    const { line, col } = this.#counter.linePos(offset);
    const sourceLine = this.#lines[line - 1];
    this.problems.push({
      file: this.#file,
      line,
      column: col,
      key,
      message: message.replace(/\s+/g, ' ').trim(),
      ...(sourceLine === undefined || secret ? {} : { sourceLine }),
    });
  }
}

function isUnknownKey(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'unrecognized_keys' && issue.path.length === 0;
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'invalid_type' ? 0 : 1)));
}

function keyText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

function describe(issue: z.core.$ZodIssue, node: Node | undefined, secret: boolean): string {
  const shown = secret || !isScalar(node) ? undefined : JSON.stringify(node.value);
  switch (issue.code) {
    case 'invalid_type':
      if (node === undefined)
        return issue.message.startsWith('Invalid input')
          ? `is required: ${article(issue.expected)}`
          : `is required; ${issue.message}`;
      return issue.message.startsWith('Invalid input')
        ? `expected ${article(issue.expected)}${shown === undefined ? '' : `, not ${shown}`}`
        : issue.message;
    case 'invalid_value':
      return `${shown === undefined ? 'value' : shown} is not accepted${oneOf(issue.values.map(String), node)}`;
    case 'invalid_union':
      return describeUnion(issue, node);
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'too_small':
    case 'too_big':
    case 'custom':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'unrecognized_keys':
      return issue.message;
    default:
      return (issue as z.core.$ZodIssue).message;
  }
}

/** A discriminated union whose discriminator fits no member, or a plain one none of whose members says more. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, node: Node | undefined): string {
  const { discriminator, options } = issue as { discriminator?: string; options?: readonly unknown[] };
  if (discriminator === undefined)
    return issue.message === 'Invalid input' ? 'is not accepted' : issue.message;
  const given = isMap(node) ? node.get(discriminator) : isScalar(node) ? node.value : undefined;
  const accepted = (options ?? []).map(String);
  return given === undefined
    ? `"${discriminator}" is required${oneOf(accepted, undefined)}`
    : `${JSON.stringify(given)} is not accepted${oneOf(accepted, new Scalar(given))}`;
}

function oneOf(values: readonly string[], node: Node | undefined): string {
  const meant = isScalar(node) ? didYouMean(String(node.value), values) : undefined;
  return `; expected ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}

function article(type: string): string {
  const words: Record<string, string> = {
    object: 'a mapping of keys',
    array: 'a list',
    string: 'text',
    boolean: 'true or false',
    number: 'a number',
    int: 'a whole number',
    record: 'a mapping of names',
  };
  return words[type] ?? type;
}
