import type { Labels } from '../model/series.ts';
import { quote } from '../model/alert-matcher.ts';

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

/** `{alertname="x", job="y"}`, sorted: how Alertmanager prints the labels of a group. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.keys(labels).sort();
  return `{${pairs.map((name) => `${name}=${quote(labels[name]!)}`).join(', ')}}`;
}

/** The names in order, and nothing inherited: what JSON of a label set should look like. */
export function sortedLabels(labels: Labels): Record<string, string> {
  return Object.fromEntries(
    Object.keys(labels)
      .sort()
      .map((name) => [name, labels[name]!]),
  );
}

/** Alertmanager's order within a notification: job, instance, then all labels. */
export function compareAlerts(a: { readonly labels: Labels }, b: { readonly labels: Labels }): number {
  for (const name of ['job', 'instance']) {
    const order = compareText(a.labels[name] ?? '', b.labels[name] ?? '');
    if (order !== 0) return order;
  }
  return compareText(formatLabels(a.labels), formatLabels(b.labels));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
