import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflate, inflateSync } from 'node:zlib';
import type { Log } from '../platform/log.ts';
import { unlinkFile, writeFileAtomically } from '../platform/durable-files.ts';
import { CorruptEntry, UnsupportedFormat } from './corrupt-entry.ts';
import { FORMAT_VERSION } from './segment-header.ts';

/** The agent's state as of entry `seq`; what else is in it is the agent's affair. */
export interface SnapshotState {
  readonly seq: number;
  readonly [key: string]: unknown;
}

export interface StoredSnapshot {
  readonly seq: number;
  readonly nextBatch: number;
  readonly state: SnapshotState;
}

const HEADER_BYTES = 40;
const MAGIC = Buffer.from('TAFFSNP\n', 'latin1');
const NAME = /^(\d{10,})\.snapshot$/;
const KEPT = 2;
const MAX_STATE_BYTES = 1 << 30;

const deflateAsync = promisify(deflate);

interface Kept {
  readonly file: string;
  readonly seq: number;
}

/** The newest two snapshots of a buffer. Entries that the older contains are not needed for a start. */
export class SnapshotStore {
  readonly #directory: string;
  #next: number;
  /** Oldest first. */
  #kept: Kept[];
  readonly newest: StoredSnapshot | undefined;
  /** Snapshots exist, but none can be read. */
  readonly allDamaged: boolean;

  private constructor(
    directory: string,
    next: number,
    kept: Kept[],
    newest?: StoredSnapshot,
    allDamaged = false,
  ) {
    this.#directory = directory;
    this.#next = next;
    this.#kept = kept;
    this.newest = newest;
    this.allDamaged = allDamaged;
  }

  static async open(directory: string, log: Log): Promise<SnapshotStore> {
    const found = (await fs.readdir(directory)).filter((name) => NAME.test(name)).sort(byNumber);
    const valid: (StoredSnapshot & Kept)[] = [];
    for (const name of found) {
      const file = path.join(directory, name);
      try {
        valid.push({ ...decodeSnapshot(await fs.readFile(file), file), file });
      } catch (error) {
        if (!(error instanceof CorruptEntry)) throw error;
        log.error({ file, reason: error.reason }, 'snapshot is damaged; the one before it is used');
      }
    }
    const last = found.at(-1);
    const next = last === undefined ? 1 : Number(NAME.exec(last)![1]) + 1;
    const kept = valid.map(({ file, seq }) => ({ file, seq }));
    const newest = valid.at(-1);
    const plain = newest && { seq: newest.seq, nextBatch: newest.nextBatch, state: newest.state };
    return new SnapshotStore(directory, next, kept, plain, found.length > 0 && valid.length === 0);
  }

  /** Entries up to here are in both snapshots kept; 0 while there is only one. */
  get coveredSeq(): number {
    return this.#kept.length < KEPT ? 0 : this.#kept[0]!.seq;
  }

  get newestSeq(): number {
    return this.#kept.at(-1)?.seq ?? 0;
  }

  /** Of those kept. */
  get files(): readonly string[] {
    return this.#kept.map(({ file }) => file);
  }

  /** Forgets those whose files were removed behind our back. */
  forgetMissing(): void {
    this.#kept = this.#kept.filter(({ file }) => existsSync(file));
  }

  /** Durable when it returns; then the oldest goes. */
  async write(state: SnapshotState, nextBatch: number): Promise<void> {
    const file = path.join(this.#directory, `${String(this.#next++).padStart(10, '0')}.snapshot`);
    const payload = await deflateAsync(Buffer.from(JSON.stringify(state)), { level: 1 });
    await writeFileAtomically(
      file,
      [encodeHeader(state.seq, nextBatch, payload), payload],
      'buffer.snapshot',
    );
    this.#kept.push({ file, seq: state.seq });
    while (this.#kept.length > KEPT) await unlinkFile(this.#kept.shift()!.file, 'buffer.snapshot');
  }
}

function byNumber(a: string, b: string): number {
  return Number(NAME.exec(a)![1]) - Number(NAME.exec(b)![1]);
}

function encodeHeader(seq: number, nextBatch: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeBigUInt64LE(BigInt(seq), 12);
  bytes.writeBigUInt64LE(BigInt(nextBatch), 20);
  bytes.writeUInt32LE(payload.length, 28);
  bytes.writeUInt32LE(crc32(payload), 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** Throws `CorruptEntry` for anything that is not a whole snapshot, `UnsupportedFormat` for one of another version. */
export function decodeSnapshot(bytes: Buffer, file: string): StoredSnapshot {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC))
    throw new CorruptEntry(file, 0, 'not a snapshot');
  if (bytes.readUInt32LE(36) !== crc32(bytes.subarray(0, 36)))
    throw new CorruptEntry(file, 0, 'header checksum differs');
  const version = bytes.readUInt32LE(8);
  if (version !== FORMAT_VERSION) throw new UnsupportedFormat(file, version, FORMAT_VERSION);
  const payload = bytes.subarray(HEADER_BYTES);
  if (payload.length !== bytes.readUInt32LE(28) || crc32(payload) !== bytes.readUInt32LE(32)) {
    throw new CorruptEntry(file, HEADER_BYTES, 'checksum differs');
  }
  try {
    const state = JSON.parse(
      inflateSync(payload, { maxOutputLength: MAX_STATE_BYTES }).toString('utf8'),
    ) as SnapshotState;
    return { seq: Number(bytes.readBigUInt64LE(12)), nextBatch: Number(bytes.readBigUInt64LE(20)), state };
  } catch (error) {
    throw new CorruptEntry(file, HEADER_BYTES, `state cannot be read: ${(error as Error).message}`);
  }
}
