import { ByteBuffer } from './byte-buffer.ts';
import { ByteSource, DamagedBytes } from './byte-source.ts';
import { scaleOf } from './chunk-codec.ts';

/** What the head's log is made of (drawn in docs/STORE-FORMAT.md). */
const SERIES = 1;
const FORGET = 2;
const METADATA = 3;
/** And the flags beside it. */
const SAMPLE = 16;
const NEXT_SERIES = 4;
const SAME_TIME = 8;
const [WHOLE, DOUBLE, STALE, DECIMAL] = [0, 1, 2, 3];

/** Times and whole numbers beyond this are not exact as zigzag numbers. */
export const TIME_MAX_MS = 2 ** 51;

export interface MetricMetadata {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** What a log says, in its order. */
export interface LogVisitor {
  series(sid: number, pairs: readonly string[]): void;
  forget(sid: number): void;
  metadata(metadata: MetricMetadata): void;
  sample(sid: number, timeMs: number, value: number, stale: boolean): void;
}

/** Puts together what is written to the log at once. */
export class LogWriter implements LogVisitor {
  readonly #out = new ByteBuffer(1 << 16);
  #sid = 0;
  #time = 0;

  get length(): number {
    return this.#out.length;
  }

  series(sid: number, pairs: readonly string[]): void {
    this.#out.byte(SERIES);
    this.#out.varint(sid);
    this.#out.varint(pairs.length);
    for (const text of pairs) this.#out.text(text);
  }

  forget(sid: number): void {
    this.#out.byte(FORGET);
    this.#out.varint(sid);
  }

  metadata({ name, type, help, unit }: MetricMetadata): void {
    this.#out.byte(METADATA);
    for (const text of [name, type, help, unit]) this.#out.text(text);
  }

  sample(sid: number, timeMs: number, value: number, stale: boolean): void {
    const out = this.#out;
    const scale = stale ? -1 : scaleOf(value);
    const kind = stale ? STALE : scale < 0 ? DOUBLE : scale === 0 ? WHOLE : DECIMAL;
    const flags = (sid === this.#sid + 1 ? NEXT_SERIES : 0) | (timeMs === this.#time ? SAME_TIME : 0);
    out.byte(SAMPLE | kind | flags);
    if ((flags & NEXT_SERIES) === 0) out.signed(sid - this.#sid);
    if ((flags & SAME_TIME) === 0) out.signed(timeMs - this.#time);
    this.#sid = sid;
    this.#time = timeMs;
    if (kind === DOUBLE) out.double(value);
    else if (kind === WHOLE) out.signed(value);
    else if (kind === DECIMAL) {
      out.byte(scale);
      out.signed(Math.round(value * 10 ** scale));
    }
  }

  /** What was written since the last time. */
  take(): Uint8Array {
    this.#sid = 0;
    this.#time = 0;
    return this.#out.take();
  }
}

/** Tells what was put together. Throws DamagedBytes. */
export function readLog(bytes: Uint8Array, visitor: LogVisitor): void {
  const source = new ByteSource(bytes);
  let sid = 0;
  let time = 0;
  while (!source.done) {
    const tag = source.byte();
    if (tag === SERIES) {
      const of = source.varint();
      visitor.series(of, readTexts(source, source.varint()));
    } else if (tag === FORGET) visitor.forget(source.varint());
    else if (tag === METADATA) {
      const [name, type, help, unit] = readTexts(source, 4) as [string, string, string, string];
      visitor.metadata({ name, type, help, unit });
    } else if (tag < SAMPLE || tag >= SAMPLE * 2) throw new DamagedBytes(`an entry of kind ${tag}`);
    else {
      sid += (tag & NEXT_SERIES) === 0 ? source.signed() : 1;
      if ((tag & SAME_TIME) === 0) time += source.signed();
      const kind = tag & 3;
      visitor.sample(sid, time, kind === STALE ? NaN : readValue(source, kind), kind === STALE);
    }
  }
}

function readValue(source: ByteSource, kind: number): number {
  if (kind === DOUBLE) return source.double();
  if (kind === WHOLE) return source.signed();
  const scale = source.byte();
  return source.signed() / 10 ** scale;
}

function readTexts(source: ByteSource, count: number): string[] {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) texts.push(source.text());
  return texts;
}
