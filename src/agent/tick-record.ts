import type { Labels, MetricType } from '../model/series.ts';
import { decodeCheckedLine, encodeCheckedLine } from '../platform/checked-line.ts';
import type { RingSample } from '../promql/ring-store.ts';

/** One tick as a line with a checksum: what changed against the line before. The first line of a file changes everything. */
interface TickLine {
  readonly t: number;
  /** New series: number, labels, whether it is a counter, whether it began with this tick. */
  readonly a?: readonly (readonly [number, Labels, 0 | 1, 0 | 1])[];
  /** Numbers and values in turn; what JSON cannot hold (NaN, Inf) is text. */
  readonly v?: readonly (number | string)[];
  /** Series that ended. */
  readonly x?: readonly number[];
}

export interface Tick {
  readonly timeMs: number;
  readonly samples: readonly RingSample[];
}

interface Written {
  readonly id: number;
  value: number;
  seenAt: number;
}

/** Ticks to lines. Series are recognised by their label object, which stays the same from tick to tick. */
export class TickEncoder {
  readonly #series = new Map<Labels, Written>();
  #tick = 0;
  #nextId = 0;

  encode({ timeMs, samples }: Tick): string {
    this.#tick++;
    const added: [number, Labels, 0 | 1, 0 | 1][] = [];
    const values: (number | string)[] = [];
    const isFirst = this.#tick === 1;
    for (const { labels, value, type, born } of samples) {
      let known = this.#series.get(labels);
      const isNew = known === undefined;
      if (known === undefined) {
        known = { id: this.#nextId++, value, seenAt: 0 };
        this.#series.set(labels, known);
        // A tick may have been left out before this line, and with it the word that the series was born.
        const isBorn = born === true || !isFirst;
        added.push([known.id, labels, type === 'counter' ? 1 : 0, isBorn ? 1 : 0]);
      }
      known.seenAt = this.#tick;
      if (!isNew && Object.is(known.value, value)) continue;
      known.value = value;
      values.push(known.id, Number.isFinite(value) ? value : String(value));
    }
    const line: TickLine = { t: timeMs, a: added, v: values, x: this.#ended() };
    return encodeCheckedLine(JSON.stringify(line));
  }

  #ended(): number[] {
    const ended: number[] = [];
    for (const [labels, { id, seenAt }] of this.#series) {
      if (seenAt === this.#tick) continue;
      ended.push(id);
      this.#series.delete(labels);
    }
    return ended;
  }
}

interface Read {
  readonly labels: Labels;
  readonly type: MetricType;
  value: number;
  born: boolean;
}

/**
 * Lines of one file back to ticks. What a crash tore off the end is left out; at a complete line that is not what was
 * written it ends, and `onDamage` is told its number, because each line says only what changed. An hour of thousands of series must be
 * read quickly at a start, so a tick's samples are good only until the next tick is asked for.
 */
export function* decodeTicks(bytes: Buffer, onDamage: (line: number) => void): Generator<Tick> {
  const series = new Map<number, Read>();
  let samples: Read[] = [];
  let newborn: Read[] = [];
  let number = 0;
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
    const line = parseLine(bytes.subarray(from, end));
    from = end + 1;
    number++;
    if (line === undefined) {
      onDamage(number);
      return;
    }
    const { t, a = [], v = [], x = [] } = line;
    for (const before of newborn) before.born = false;
    newborn = [];
    for (const [id, labels, counter, born] of a) {
      const read: Read = { labels, type: counter === 1 ? 'counter' : 'unknown', value: 0, born: born === 1 };
      series.set(id, read);
      if (read.born) newborn.push(read);
    }
    for (let at = 0; at + 1 < v.length; at += 2) {
      const read = series.get(Number(v[at]));
      if (read !== undefined) read.value = Number(v[at + 1]);
    }
    for (const id of x) series.delete(id);
    if (a.length > 0 || x.length > 0) samples = [...series.values()];
    yield { timeMs: t, samples };
  }
}

const NEWLINE = 0x0a;
/** Of a line of before lines had checksums. */
const BRACE = 0x7b;

function parseLine(bytes: Buffer): TickLine | undefined {
  const text = bytes[0] === BRACE ? bytes.toString('utf8') : decodeCheckedLine(bytes);
  try {
    const line = text === undefined ? undefined : (JSON.parse(text) as TickLine);
    return typeof line?.t === 'number' ? line : undefined;
  } catch {
    return undefined;
  }
}
