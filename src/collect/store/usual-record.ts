/** It may be a good record all the same; a general reader has to say. */
export const UNUSUAL = -1;

const TIME = 0x09;
const SEVERITY = 0x10;
const SEVERITY_TEXT = 0x1a;
const BODY = 0x2a;
const ATTRIBUTE = 0x32;
const OBSERVED_TIME = 0x59;

/**
 * Checks a LogRecord of the shape that almost all have: times, severity, a body and attributes of one plain value each,
 * no length of more than two bytes. Gives its event time in ms (the observed time where it has none), or UNUSUAL. This
 * runs over every byte's neighbourhood of all that arrives, so it looks at lengths and tags alone.
 */
export function skimUsualRecord(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let timeMs = 0;
  let observedMs = 0;
  while (at < end) {
    const tag = bytes[at++];
    if (tag === ATTRIBUTE) {
      const content = afterSize(bytes, at);
      at = content + sizeAt(bytes, at);
      if (!(at <= end) || !isPlainAttribute(bytes, content, at)) return UNUSUAL;
    } else if (tag === BODY) {
      const size = at;
      at = afterSize(bytes, size) + sizeAt(bytes, size);
      if (!(at <= end) || !isPlainValue(bytes, size, at)) return UNUSUAL;
    } else if (tag === TIME || tag === OBSERVED_TIME) {
      if (at + 8 > end) return UNUSUAL;
      if (tag === TIME) timeMs = nanosToMs(bytes, at);
      else if (timeMs === 0) observedMs = nanosToMs(bytes, at);
      at += 8;
    } else if (tag === SEVERITY) {
      if (!(bytes[at++]! < 0x80)) return UNUSUAL;
    } else if (tag === SEVERITY_TEXT) {
      at = afterSize(bytes, at) + sizeAt(bytes, at);
    } else return UNUSUAL;
  }
  if (at !== end) return UNUSUAL;
  return timeMs > 0 ? timeMs : observedMs;
}

/** A KeyValue with a key of up to 127 bytes, then its value, and nothing else. */
function isPlainAttribute(bytes: Buffer, at: number, end: number): boolean {
  const keySize = bytes[at + 1]!;
  const value = at + 2 + keySize;
  return bytes[at] === 0x0a && keySize < 0x80 && bytes[value] === 0x12 && isPlainValue(bytes, value + 1, end);
}

/** The size and content of an AnyValue that is one text, number or boolean, and ends where its parent does. */
function isPlainValue(bytes: Buffer, at: number, end: number): boolean {
  const content = afterSize(bytes, at);
  if (content + sizeAt(bytes, at) !== end) return false;
  switch (bytes[content]) {
    case 0x0a:
      return afterSize(bytes, content + 1) + sizeAt(bytes, content + 1) === end;
    case 0x10:
    case 0x18:
      return isVarint(bytes, content + 1, end);
    case 0x21:
      return content + 9 === end;
    case undefined:
    default:
      return false;
  }
}

function isVarint(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end - 1 && bytes[at]! >= 0x80) at++;
  return at === end - 1 && bytes[at]! < 0x80 && end - start <= 10;
}

/** A length of one or two bytes; NaN, which is equal to nothing, where it has more. */
function sizeAt(bytes: Buffer, at: number): number {
  const low = bytes[at]!;
  if (low < 0x80) return low;
  const high = bytes[at + 1]!;
  return high < 0x80 ? (low & 0x7f) | (high << 7) : Number.NaN;
}

/** Where the content begins whose length of one or two bytes is here. */
function afterSize(bytes: Buffer, at: number): number {
  return bytes[at]! < 0x80 ? at + 1 : at + 2;
}

/** Whole ms of eight little-endian bytes of nanoseconds, exact: 2^32 is 4294 * 1e6 + 967296. */
export function nanosToMs(bytes: Buffer, at: number): number {
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  const high =
    (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0;
  return high * 4294 + Math.floor((high * 967296 + low) / 1e6);
}
