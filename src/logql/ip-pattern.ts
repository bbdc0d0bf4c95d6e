import { isIP } from 'node:net';

/** Whether an address, as text, is meant. */
export type IpPattern = (address: string) => boolean;

/** An address, a range `a-b` (both ends count) or a CIDR block; undefined for anything else. */
export function parseIpPattern(text: string): IpPattern | undefined {
  const dash = text.indexOf('-');
  if (dash >= 0) return rangePattern(text.slice(0, dash), text.slice(dash + 1));
  const slash = text.indexOf('/');
  if (slash >= 0) return blockPattern(text.slice(0, slash), text.slice(slash + 1));
  const wanted = parseAddress(text);
  return wanted && ((address) => same(parseAddress(address), wanted));
}

/** Bits and number: 32 for IPv4, 128 for IPv6; one in the other's clothes is IPv6. */
interface Address {
  readonly bits: 32 | 128;
  readonly number: bigint;
}

function same(a: Address | undefined, b: Address): boolean {
  return a !== undefined && a.bits === b.bits && a.number === b.number;
}

function rangePattern(from: string, to: string): IpPattern | undefined {
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === undefined || last === undefined || first.bits !== last.bits || last.number < first.number)
    return undefined;
  return (text) => {
    const address = parseAddress(text);
    return address?.bits === first.bits && address.number >= first.number && address.number <= last.number;
  };
}

function blockPattern(base: string, length: string): IpPattern | undefined {
  const network = parseAddress(base);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (network === undefined || !(bits <= network.bits)) return undefined;
  const shift = BigInt(network.bits - bits);
  const prefix = network.number >> shift;
  return (text) => {
    const address = parseAddress(text);
    return address?.bits === network.bits && address.number >> shift === prefix;
  };
}

function parseAddress(text: string): Address | undefined {
  const zone = text.indexOf('%');
  const plain = zone >= 0 ? text.slice(0, zone) : text;
  switch (isIP(plain)) {
    case 4:
      return { bits: 32, number: fourBytes(plain) };
    case 6:
      return { bits: 128, number: sixteenBytes(plain) };
    default:
      return undefined;
  }
}

function fourBytes(text: string): bigint {
  let number = 0n;
  for (const part of text.split('.')) number = number * 256n + BigInt(part);
  return number;
}

function sixteenBytes(text: string): bigint {
  const lastColon = text.lastIndexOf(':');
  const dotted = text.includes('.') ? fourBytes(text.slice(lastColon + 1)) : undefined;
  const hex =
    dotted === undefined
      ? text
      : `${text.slice(0, lastColon + 1)}${(dotted >> 16n).toString(16)}:${(dotted & 0xffffn).toString(16)}`;
  const [head = '', tail] = hex.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = groups(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  let number = 0n;
  for (const group of [...left, ...Array<string>(missing).fill('0'), ...right])
    number = number * 65536n + BigInt(`0x${group}`);
  return number;
}

/** Stretches of a text that may be addresses: digits with a dot within the next three characters, or hex groups with a colon. */
export function* addressesIn(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    if (!HEX_OR_COLON.test(text[at]!)) continue;
    const four = /^\d{1,3}\./.test(text.slice(at, at + 4));
    const form = four ? FOUR : SIX;
    form.lastIndex = at;
    const found = form.exec(text)?.[0];
    if (found === undefined || (!four && !found.includes(':'))) continue;
    yield found;
    at += found.length - 1;
  }
}

const HEX_OR_COLON = /[0-9a-fA-F:]/;
const FOUR = /[\d.]+/y;
const SIX = /[0-9a-fA-F:.]+/y;
