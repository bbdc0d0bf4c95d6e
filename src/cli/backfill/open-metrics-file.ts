import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { formatLabels } from '../../metrics/series-family.ts';
import { formatBound } from '../../model/sample-set.ts';
import type { HistorySeries } from './history-aggregator.ts';

const PIECE = 256 * 1024;
/** PromQL forgets a series after five minutes: an idle one is written again before that. */
const HEARTBEAT_MS = 60_000;

/** Samples of one metric, kept in a file of their own until the end: OpenMetrics wants each family in one piece. */
interface Part {
  readonly path: string;
  readonly descriptor: number;
  readonly head: string;
  text: string;
}

/** Writes OpenMetrics with time stamps; memory holds one line of each series, whatever the length of the history. */
export class OpenMetricsFile {
  readonly #path: string;
  readonly #stepMs: number;
  readonly #parts = new Map<string, Part>();
  readonly #live = new Set<HistorySeries>();
  readonly #beat: number;
  samples = 0;

  constructor(path: string, stepMs: number) {
    this.#path = path;
    this.#stepMs = stepMs;
    this.#beat = Math.max(1, Math.floor(HEARTBEAT_MS / stepMs));
  }

  get seriesCount(): number {
    return this.#live.size;
  }

  /** `before`: the changed series as they were, for the sample that says so at the step before. */
  write(
    step: number,
    changed: readonly HistorySeries[],
    before: ReadonlyMap<HistorySeries, HistorySeries>,
  ): void {
    for (const series of changed) {
      const isFirst = series.writtenStep < 0;
      // A counter that begins at 3 has risen by 3: rates need to see the zero before.
      const needsBefore = isFirst ? !isGauge(series) : series.writtenStep < step - 1;
      if (!isFirst) this.#idle(series, before.get(series)!, step);
      if (needsBefore) this.#sample(before.get(series)!, step - 1);
      this.#sample(series, step);
      series.writtenStep = step;
      this.#live.add(series);
    }
  }

  /** Idle series once a minute, up to the step before their change; gaps of days are left as gaps. */
  #idle(series: HistorySeries, value: HistorySeries, step: number): void {
    const until = Math.min(step - 1, series.writtenStep + Math.floor(3_600_000 / this.#stepMs));
    for (let at = series.writtenStep + this.#beat; at < until; at += this.#beat) this.#sample(value, at);
  }

  /** The end of the history: every series once more at its last step. Then the file is put together. */
  finish(lastStep: number): void {
    for (const series of this.#live) {
      if (series.writtenStep < lastStep) {
        this.#idle(series, series, lastStep);
        this.#sample(series, lastStep);
      }
    }
    const out = openSync(this.#path, 'w');
    try {
      for (const part of this.#parts.values()) {
        this.#flush(part);
        writeSync(out, part.head);
        copy(part.descriptor, out);
      }
      writeSync(out, '# EOF\n');
    } finally {
      closeSync(out);
    }
  }

  /** Takes away what was written on the way; to be called however it ended. */
  close(): void {
    for (const { path, descriptor } of this.#parts.values()) {
      closeSync(descriptor);
      rmSync(path, { force: true });
    }
    this.#parts.clear();
  }

  #sample(series: HistorySeries, step: number): void {
    const part = this.#partOf(series);
    part.text += sampleLines(series, (step * this.#stepMs) / 1000);
    this.samples++;
    if (part.text.length > PIECE) this.#flush(part);
  }

  #flush(part: Part): void {
    writeSync(part.descriptor, part.text);
    part.text = '';
  }

  #partOf({ descriptor }: HistorySeries): Part {
    let part = this.#parts.get(descriptor.name);
    if (part === undefined) {
      const path = `${this.#path}.part${this.#parts.size}`;
      part = { path, descriptor: openSync(path, 'w+'), head: headOf(descriptor), text: '' };
      this.#parts.set(descriptor.name, part);
    }
    return part;
  }
}

function isGauge({ descriptor: { type } }: HistorySeries): boolean {
  return type === 'gauge' || type === 'unique';
}

function copy(from: number, to: number): void {
  const block = Buffer.alloc(PIECE);
  for (let position = 0; ;) {
    const got = readSync(from, block, 0, block.length, position);
    if (got === 0) return;
    writeSync(to, block, 0, got);
    position += got;
  }
}

function headOf({ name, type, help }: HistorySeries['descriptor']): string {
  const shown = {
    counter: 'counter',
    gauge: 'gauge',
    unique: 'gauge',
    histogram: 'histogram',
    pair: 'histogram',
  }[type];
  const isCounter = shown === 'counter' && name.endsWith('_total');
  const family = isCounter ? name.slice(0, -'_total'.length) : name;
  const escaped = help.replace(/[\\\n"]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
  return `# TYPE ${family} ${shown === 'counter' && !isCounter ? 'unknown' : shown}\n# HELP ${family} ${escaped}\n`;
}

function sampleLines(series: HistorySeries, seconds: number): string {
  const { descriptor, labels, value, count, buckets } = series;
  const own = descriptor.labelNames.map((name, i) => [name, labels[i]!] as const);
  const all = Object.fromEntries(
    [...Object.entries(descriptor.constLabels), ...own].filter(([, text]) => text !== ''),
  );
  const text = formatLabels(all);
  const braced = text === '' ? '' : `{${text}}`;
  const { name } = descriptor;
  if (descriptor.type !== 'histogram' && descriptor.type !== 'pair')
    return `${name}${braced} ${number(value)} ${seconds}\n`;
  const prefix = text === '' ? '' : `${text},`;
  let lines = '';
  let cumulative = 0;
  for (const [i, bound] of [...(descriptor.buckets ?? []), Infinity].entries()) {
    cumulative += buckets[i]!;
    const le = bound === Infinity ? '+Inf' : formatBound(bound);
    lines += `${name}_bucket{${prefix}le="${le}"} ${cumulative} ${seconds}\n`;
  }
  return `${lines}${name}_sum${braced} ${number(value)} ${seconds}\n${name}_count${braced} ${count} ${seconds}\n`;
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
