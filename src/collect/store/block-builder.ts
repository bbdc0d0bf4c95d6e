import { encodeParts } from './body-parts.ts';
import { BLOCK_SPAN_MS, type BlockEncoding, compressBlock, IN_BODY } from './record-block.ts';

export interface UnplacedBlock {
  readonly minMs: number;
  readonly maxMs: number;
  readonly records: number;
  readonly encoding: BlockEncoding;
  readonly bytes: Uint8Array;
}

/** A block that is compressed for itself is closed beyond this: a query decodes whole blocks. */
const BLOCK_BYTES_MAX = 256 * 1024;

interface OpenBlock {
  readonly hour: number;
  /** Start and end, start and end, …: neighbours are one part. */
  parts: number[];
  bytes: number;
  minMs: number;
  maxMs: number;
  records: number;
}

/** Sorts records of one stream into blocks by the hour of their event time. */
export class BlockBuilder {
  records = 0;
  readonly #request: Buffer;
  /** Whether the request itself is stored, so that a block need only say which parts of it are its own. */
  readonly #inBody: boolean;
  readonly #open = new Map<number, OpenBlock>();
  readonly #done: UnplacedBlock[] = [];
  #last: OpenBlock | undefined;

  constructor(request: Buffer, inBody: boolean) {
    this.#request = request;
    this.#inBody = inBody;
  }

  add(start: number, end: number, timeMs: number): void {
    this.records++;
    const hour = Math.floor(timeMs / BLOCK_SPAN_MS);
    const block = this.#last?.hour === hour ? this.#last : this.#blockOf(hour, timeMs);
    const { parts } = block;
    if (parts[parts.length - 1] === start) parts[parts.length - 1] = end;
    else parts.push(start, end);
    block.bytes += end - start;
    block.records++;
    if (timeMs < block.minMs) block.minMs = timeMs;
    if (timeMs > block.maxMs) block.maxMs = timeMs;
    this.#last = block;
    if (!this.#inBody && block.bytes >= BLOCK_BYTES_MAX) this.#close(block);
  }

  #blockOf(hour: number, timeMs: number): OpenBlock {
    let block = this.#open.get(hour);
    if (block === undefined) {
      block = { hour, parts: [], bytes: 0, minMs: timeMs, maxMs: timeMs, records: 0 };
      this.#open.set(hour, block);
    }
    return block;
  }

  finish(): readonly UnplacedBlock[] {
    for (const block of this.#open.values()) this.#close(block);
    return this.#done;
  }

  #close(block: OpenBlock): void {
    this.#open.delete(block.hour);
    if (this.#last === block) this.#last = undefined;
    const { minMs, maxMs, records, parts } = block;
    const content = this.#inBody
      ? ({ encoding: IN_BODY, bytes: encodeParts(parts) } as const)
      : compressBlock(partsOf(this.#request, parts));
    this.#done.push({ minMs, maxMs, records, ...content });
  }
}

/** Parts of a request, given as start and end, one behind the other. */
export function partsOf(request: Buffer, parts: readonly number[]): Buffer {
  if (parts.length === 2) return request.subarray(parts[0], parts[1]);
  const pieces: Buffer[] = [];
  for (let i = 0; i < parts.length; i += 2) pieces.push(request.subarray(parts[i], parts[i + 1]));
  return Buffer.concat(pieces);
}
