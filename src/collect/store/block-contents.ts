import { readParts } from './body-parts.ts';
import { decompressBlock, IN_BODY } from './record-block.ts';
import type { Database } from './sqlite.ts';
import { readStoredBody, type StoredBody } from './stored-body.ts';

/** A block's records, as `log_records` fields. */
export interface BlockContent {
  readonly receivedMs: number;
  readonly bytes: Buffer;
}

interface BlockRow {
  readonly received_ms: number;
  readonly encoding: number;
  readonly bytes: Uint8Array;
  /** The body that it is in, if it is in one. */
  readonly body: number | null;
}

/** Bytes of bodies kept decompressed: the blocks of one are often read one after another, among those of some others. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** Reads the contents of blocks, wherever they are. */
export class BlockContents {
  readonly #block;
  readonly #body;
  /** By number, the one used last at the end. A number is never given twice. */
  readonly #bodies = new Map<number, Buffer>();
  #keptBytes = 0;

  constructor(db: Database) {
    // In one statement: between two, retention may remove the body, and the next one would be found in its place.
    this.#block = db.prepare(
      `SELECT received_ms, encoding, bytes,
         (SELECT number FROM body WHERE number >= block.number ORDER BY number LIMIT 1) AS body
       FROM block WHERE number = ?`,
    );
    this.#body = db.prepare('SELECT encoding, bytes FROM body WHERE number = ?');
  }

  /** Undefined where retention was quicker. */
  read(number: number): BlockContent | undefined {
    const row = this.#block.get(number) as BlockRow | undefined;
    if (row === undefined) return undefined;
    const { received_ms: receivedMs, encoding, bytes } = row;
    if (encoding !== IN_BODY) return { receivedMs, bytes: decompressBlock(encoding, bytes) };
    const body = row.body === null ? undefined : this.#readBody(row.body);
    return body && { receivedMs, bytes: readParts(body, bytes) };
  }

  #readBody(number: number): Buffer | undefined {
    let body = this.#bodies.get(number);
    if (body !== undefined) {
      this.#bodies.delete(number);
      this.#bodies.set(number, body);
      return body;
    }
    const row = this.#body.get(number) as StoredBody | undefined;
    if (row === undefined) return undefined;
    body = readStoredBody(row);
    this.#bodies.set(number, body);
    this.#keptBytes += body.length;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break;
      this.#bodies.delete(oldest);
      this.#keptBytes -= length;
    }
    return body;
  }
}
