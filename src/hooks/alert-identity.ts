import type { Labels } from '../model/series.ts';
import { quote } from '../model/alert-matcher.ts';

const FNV_OFFSET = 14_695_981_039_346_656_037n;
const FNV_PRIME = 1_099_511_628_211n;
const MASK = (1n << 64n) - 1n;

/** Alertmanager's fingerprint: FNV-1a of the sorted labels, each name and value closed by 0xff; 16 hex digits. */
export function fingerprintOf(labels: Labels): string {
  let hash = FNV_OFFSET;
  const feed = (text: string): void => {
    for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK;
    hash = ((hash ^ 0xffn) * FNV_PRIME) & MASK;
  };
  for (const name of Object.keys(labels).sort()) {
    feed(name);
    feed(labels[name]!);
  }
  return hash.toString(16).padStart(16, '0');
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
