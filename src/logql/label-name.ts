const KNOWN_MAX = 5000;
const known = new Map<string, string>();

/** A name that was parsed as the name of a label: trimmed, what is no letter, digit or `_` becomes `_`, no digit in front. */
export function labelName(parsed: string): string {
  let name = known.get(parsed);
  if (name !== undefined) return name;
  name = parsed.trim().replaceAll(/[^A-Za-z0-9_]/gu, '_');
  if (/^\d/.test(name)) name = `_${name}`;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(parsed, name);
  return name;
}

/** Part of a name, behind another. */
export function labelNamePart(parsed: string): string {
  return parsed.trim().replaceAll(/[^A-Za-z0-9_]/gu, '_');
}

/** What stands for bytes that are no text, and half a character. */
const BROKEN = /[\ufffd\p{Surrogate}]/u;
const ALL_BROKEN = /[\ufffd\p{Surrogate}]/gu;

/** A value without what is no text: a blank for each. */
export function labelText(value: string): string {
  return BROKEN.test(value) ? value.replaceAll(ALL_BROKEN, ' ') : value;
}
