import { printable } from '../model/printable.ts';

/** At most `width` characters, on one line. */
export function shorten(text: string, width: number): string {
  const line = printable(text).replaceAll('\n', '⏎');
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
