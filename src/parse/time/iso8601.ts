import { digits, fraction, offset } from './time-tokens.ts';
import type { TimeParts } from './time-tokens.ts';

const year = digits('year', 4, 4);
const month = digits('month', 2, 2);
const day = digits('day', 2, 2);
const hour = digits('hour', 2, 2);
const minute = digits('minute', 2, 2);
const second = digits('second', 2, 2);

/**
 * `2024-05-17T13:01:02.123456789+02:00` and its kin: a space or `_` for the T, a comma for the point, no seconds, no
 * fraction, no offset (the pack's zone then), basic form `20240517T130102Z`, a date alone.
 */
export function parseIso8601(text: string, parts: TimeParts): boolean {
  let at = year(text, 0, parts);
  if (at < 0) return false;
  const dash = text[at] === '-' || text[at] === '/' ? text[at]! : '';
  at = skip(text, at, dash);
  at = at < 0 ? at : month(text, at, parts);
  at = at < 0 ? at : skip(text, at, dash);
  at = at < 0 ? at : day(text, at, parts);
  if (at < 0) return false;
  if (at === text.length) return true;
  if (!'Tt _'.includes(text[at]!)) return false;
  at = hour(text, at + 1, parts);
  if (at < 0) return false;
  const colon = text[at] === ':' ? ':' : '';
  at = skip(text, at, colon);
  at = minute(text, at, parts);
  if (at < 0) return false;
  if (text[at] === ':' || isDigit(text, at)) {
    at = second(text, skip(text, at, colon), parts);
    if (at < 0) return false;
    if (text[at] === '.' || text[at] === ',') {
      at = fraction(text, at + 1, parts);
      if (at < 0) return false;
    }
  }
  if (text[at] === ' ') at++;
  if (at === text.length) return true;
  at = offset(text, at, parts);
  return at === text.length;
}

function skip(text: string, at: number, expected: string): number {
  return text.startsWith(expected, at) ? at + expected.length : -1;
}

function isDigit(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c >= 0x30 && c <= 0x39;
}
