import type { Labels } from '../model/series.ts';
import { compareBytes, quote } from '../model/alert-matcher.ts';

const FNV_OFFSET_HIGH = 0xcbf29ce4;
const FNV_OFFSET_LOW = 0x84222325;
/** FNV's 64-bit prime is 2^40 + 0x1b3. */
const FNV_PRIME_LOW = 0x1b3;
const TWO_32 = 2 ** 32;
const END = Buffer.from([0xff]);

/**
 * Alertmanager's fingerprint: FNV-1a of the sorted labels, each name and value closed by 0xff; 16 hex digits. In
 * two halves of 32 bits, whose products stay exact in a double; with BigInt it takes twenty times as long.
 */
export function fingerprintOf(labels: Labels): string {
  const names = Object.keys(labels).sort();
  const bytes = Buffer.concat(
    names.flatMap((name) => [Buffer.from(name), END, Buffer.from(labels[name]!), END]),
  );
  let high = FNV_OFFSET_HIGH;
  let low = FNV_OFFSET_LOW;
  for (let at = 0; at < bytes.length; at++) {
    const mixed = (low ^ bytes[at]!) >>> 0;
    const product = mixed * FNV_PRIME_LOW;
    low = product >>> 0;
    high = (Math.imul(high, FNV_PRIME_LOW) + Math.floor(product / TWO_32) + (mixed << 8)) >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** `{alertname="x", job="y"}`: how Alertmanager prints the labels of a group, sorted as they are printed. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.keys(labels).map((name) => `${name}=${quote(labels[name]!)}`);
  return `{${pairs.sort(compareBytes).join(', ')}}`;
}

/** The names in order, and nothing inherited: what JSON of a label set should look like. */
export function sortedLabels(labels: Labels): Record<string, string> {
  return Object.fromEntries(
    Object.keys(labels)
      .sort()
      .map((name) => [name, labels[name]!]),
  );
}

/** Alertmanager's order within a notification: job, instance, number of labels, then the labels by name. */
export function compareAlerts(a: { readonly labels: Labels }, b: { readonly labels: Labels }): number {
  for (const name of ['job', 'instance']) {
    const order = compareLabel(name, a.labels, b.labels);
    if (order !== 0) return order;
  }
  const names = [Object.keys(a.labels), Object.keys(b.labels)];
  if (names[0]!.length !== names[1]!.length) return names[0]!.length - names[1]!.length;
  for (const name of [...new Set(names.flat())].sort(compareBytes)) {
    const inA = a.labels[name];
    const inB = b.labels[name];
    // Here, unlike for job and instance, who lacks the label comes first.
    if (inA === undefined || inB === undefined) return inA === undefined ? -1 : 1;
    const order = compareBytes(inA, inB);
    if (order !== 0) return order;
  }
  return 0;
}

/** Who lacks the label comes last. */
function compareLabel(name: string, a: Labels, b: Labels): number {
  const inA = a[name];
  const inB = b[name];
  if (inA === undefined || inB === undefined) return Number(inA === undefined) - Number(inB === undefined);
  return compareBytes(inA, inB);
}
