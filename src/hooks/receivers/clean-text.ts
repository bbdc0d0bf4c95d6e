/** For an environment variable: no NUL, which would end it, and no more than the kernel takes. */
export function variableText(text: string, bytesMax: number): string {
  return cut(text.replaceAll('\0', ''), bytesMax);
}

/** For a header or a subject: one line, without control characters. */
export function headerText(text: string, bytesMax: number): string {
  return cut(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), bytesMax);
}

/** For a body: what no mail server minds; line ends and tabs stay. */
export function bodyText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '');
}

/** At most so many bytes of UTF-8, cut between two characters; what was cut shows. */
function cut(text: string, bytesMax: number): string {
  // No character has more than three bytes to a unit of its length.
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax - ELLIPSIS_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}…`;
}

const ELLIPSIS_BYTES = 3;
