import { LineRegex } from './line-regex.ts';

/** Labels by the names of captures. Throws an Error for a pattern without a named capture, or one that RE2 does not know. */
export function captureNames(pattern: string): readonly string[] {
  const twice = repeatedName(pattern);
  if (twice !== undefined) throw new Error(`regexp ${JSON.stringify(pattern)} has the name ${twice} twice`);
  const { names } = LineRegex.compile(pattern);
  if (names.length === 0)
    throw new Error(
      `regexp ${JSON.stringify(pattern)} names nothing; write (?P<name>…) for what becomes a label`,
    );
  return names;
}

function repeatedName(pattern: string): string | undefined {
  const names = Array.from(pattern.matchAll(/\(\?P?<([A-Za-z_]\w*)>/g), ([, name]) => name!);
  return names.find((name, i) => names.indexOf(name) !== i);
}
