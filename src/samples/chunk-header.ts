import { UNIT, type SharedBytes } from './arena.ts';
import { FLOATS } from './chunk-codec.ts';

/**
 * A closed chunk in shared memory: 32 bytes of header, then its samples.
 *
 *     0 u32 the chunk before it in time (its address; 0: none)   4 u32 bytes of samples
 *     8 f64 first time                                          16 f64 last time
 *    24 u16 samples    26 u8 kind    27 u8 mark of the pass that wrote it to a block    28 u32 reserved
 */
export const HEADER_BYTES = 32;

export interface ChunkPart {
  readonly before: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly length: number;
}

export function writeHeader(shared: SharedBytes, address: number, part: ChunkPart): void {
  const { words, doubles } = shared;
  const word = address * 4;
  words[word] = part.before;
  words[word + 1] = part.length;
  doubles[address * 2 + 1] = part.firstMs;
  doubles[address * 2 + 2] = part.lastMs;
  words[word + 6] = part.count | (FLOATS << 16);
  words[word + 7] = 0;
}

export function chunkBefore({ words }: SharedBytes, address: number): number {
  return words[address * 4]!;
}

export function setChunkBefore({ words }: SharedBytes, address: number, before: number): void {
  words[address * 4] = before;
}

export function chunkLength({ words }: SharedBytes, address: number): number {
  return words[address * 4 + 1]!;
}

export function chunkFirst({ doubles }: SharedBytes, address: number): number {
  return doubles[address * 2 + 1]!;
}

export function chunkLast({ doubles }: SharedBytes, address: number): number {
  return doubles[address * 2 + 2]!;
}

export function chunkCount({ words }: SharedBytes, address: number): number {
  return words[address * 4 + 6]! & 0xffff;
}

export function chunkMark({ words }: SharedBytes, address: number): number {
  return words[address * 4 + 6]! >>> 24;
}

export function setChunkMark({ words }: SharedBytes, address: number, mark: number): void {
  const word = address * 4 + 6;
  words[word] = ((words[word]! & 0x00ff_ffff) | (mark << 24)) >>> 0;
}

/** Where the samples of a closed chunk begin, in bytes. */
export function chunkStart(address: number): number {
  return address * UNIT + HEADER_BYTES;
}
