import { type AnyValue, DecodeBudget, readAttribute } from '../../wire/any-value.ts';
import { BYTES, ProtoReader, readNanos } from '../../wire/protobuf.ts';
import { KeyFilter } from './key-filter.ts';
import { decidesLabel, labelsFit, type StreamFilter } from './record-filter.ts';
import type { Place } from './record-query.ts';

/** A record that may fit: what is left to look at is whether the text is in its body. */
export interface Candidate {
  readonly place: Place;
  /** Its `log_records` field in the block. */
  readonly start: number;
  readonly end: number;
}

export interface PeekedBlock {
  readonly number: number;
  readonly receivedMs: number;
  readonly bytes: Buffer;
}

/** For all blocks: of what is read here, nothing is kept, so there is no limit; but the keys are known again. */
const budget = new DecodeBudget(Number.MAX_SAFE_INTEGER);

/** Finds the records of a block that are worth decoding: it reads times, the text's bytes, and attributes that are asked for. */
export class RecordPeek {
  readonly #reader: ProtoReader;
  readonly #block: PeekedBlock;
  readonly #filter: StreamFilter;
  readonly #keys: KeyFilter;
  readonly #decides = new Map<string, boolean>();
  #timeAt = -1;
  #observedAt = -1;
  #attributes: Record<string, AnyValue> = {};

  constructor(block: PeekedBlock, filter: StreamFilter) {
    this.#reader = new ProtoReader(block.bytes);
    this.#block = block;
    this.#filter = filter;
    this.#keys = new KeyFilter(filter.labels.map(({ name }) => name));
  }

  /** Those with the text somewhere in their bytes, the labels, and a place that fits; in the order of the block. */
  candidates(text: string, fits: (place: Place) => boolean): Candidate[] {
    const needle = Buffer.from(text);
    const reader = this.#reader;
    const { bytes } = reader;
    const found: Candidate[] = [];
    let hit = 0;
    for (let index = 0; ; index++) {
      const start = this.#nextRecord();
      if (start < 0) return found;
      const end = this.#endOf();
      if (needle.length > 0 && hit < start) hit = bytes.indexOf(needle, start);
      if (hit < 0) return found;
      if (needle.length > 0 && hit + needle.length > end) {
        reader.at = end;
        continue;
      }
      this.#readRecord();
      const place = this.#place(index);
      if (fits(place) && labelsFit(this.#attributes, this.#filter)) found.push({ place, start, end });
    }
  }

  /** Moves to the content of the next record; gives where its field begins, or -1 behind the last. */
  #nextRecord(): number {
    const reader = this.#reader;
    for (;;) {
      const start = reader.at;
      if (!reader.next()) return -1;
      if (reader.field === 2) return start;
      reader.skip();
    }
  }

  #endOf(): number {
    const reader = this.#reader;
    const { at } = reader;
    reader.blobStart();
    const end = reader.at;
    reader.at = at;
    return end;
  }

  #readRecord(): void {
    const reader = this.#reader;
    const withLabels = this.#filter.labels.length > 0;
    this.#timeAt = -1;
    this.#observedAt = -1;
    if (withLabels) this.#attributes = {};
    const outer = reader.enter();
    while (reader.next()) {
      if (reader.field === 1) this.#timeAt = reader.eight();
      else if (reader.field === 11) this.#observedAt = reader.eight();
      else if (reader.field === 6 && withLabels && !this.#passes()) this.#readAttribute();
      else reader.skip();
    }
    reader.leave(outer);
  }

  #passes(): boolean {
    const { bytes, at } = this.#reader;
    return this.#keys.passes(bytes, at);
  }

  /** Reads the key, and the value where it may decide. */
  #readAttribute(): void {
    const reader = this.#reader;
    const start = reader.at;
    const outer = reader.enter();
    const keyFirst = reader.next() && reader.field === 1;
    const passed = keyFirst && !this.#mayDecide(budget.keys.read(reader));
    reader.leave(outer);
    if (passed) return;
    reader.at = start;
    reader.wireType = BYTES;
    readAttribute(reader, this.#attributes, budget);
  }

  #mayDecide(key: string): boolean {
    let decides = this.#decides.get(key);
    if (decides === undefined) {
      decides = this.#filter.labels.some(({ name }) => decidesLabel(key, name));
      this.#decides.set(key, decides);
    }
    return decides;
  }

  /** By its own time, else by when it was observed, else by when it came. */
  #place(index: number): Place {
    const { bytes } = this.#reader;
    const { number: block, receivedMs } = this.#block;
    const time = this.#timeAt < 0 ? undefined : readNanos(bytes, this.#timeAt);
    if (time !== undefined && time.ms > 0) return { ms: time.ms, nanos: time.nanos, block, index };
    const observedMs = this.#observedAt < 0 ? 0 : readNanos(bytes, this.#observedAt).ms;
    return { ms: observedMs > 0 ? observedMs : receivedMs, nanos: 0, block, index };
  }
}
