/** The bytes of a text from one place to another; half a character at either end shows as U+FFFD, one for each byte. */
export function cutBytes(text: string, from: number, to: number): string {
  const bytes = Buffer.from(text).subarray(from, to);
  let start = 0;
  while (start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
  let end = bytes.length;
  let lead = end - 1;
  while (lead >= start && (bytes[lead]! & 0xc0) === 0x80) lead--;
  if (lead >= start && lead + characterLength(bytes[lead]!) > end) end = lead;
  const broken = '\ufffd';
  return broken.repeat(start) + bytes.subarray(start, end).toString() + broken.repeat(bytes.length - end);
}

function characterLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

export function trimSet(text: string, set: string, side: 'left' | 'right' | 'both'): string {
  const characters = Array.from(text);
  const inSet = new Set(set);
  let start = 0;
  let end = characters.length;
  if (side !== 'right') while (start < end && inSet.has(characters[start]!)) start++;
  if (side !== 'left') while (end > start && inSet.has(characters[end - 1]!)) end--;
  return characters.slice(start, end).join('');
}

export function indent(spaces: number, text: string): string {
  const pad = ' '.repeat(Math.min(Math.max(spaces, 0), 1000));
  return pad + text.replaceAll('\n', `\n${pad}`);
}

/** So many characters, cut or filled with blanks behind. */
export function alignLeft(count: number, text: string): string {
  if (count < 0) return text;
  const characters = Array.from(text);
  if (characters.length >= count) return characters.slice(0, count).join('');
  return text + ' '.repeat(Math.min(count, 10_000) - characters.length);
}

/** So many characters, the last ones, or filled with blanks in front. */
export function alignRight(count: number, text: string): string {
  if (count < 0) return text;
  const characters = Array.from(text);
  if (characters.length >= count) return characters.slice(characters.length - count).join('');
  return ' '.repeat(Math.min(count, 10_000) - characters.length) + text;
}
