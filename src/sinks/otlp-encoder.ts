import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OtlpSinkConfig } from '../config/sink-schema.ts';
import type { Batch } from '../model/entry.ts';
import { letGo } from '../platform/let-go.ts';
import { type BodyPiece, deflatedPiece, gzipBody } from '../wire/gzip-body.ts';
import { metricsToJson } from '../wire/metrics-to-json.ts';
import { logsJsonPieces } from '../wire/otlp-logs-json.ts';
import { encodeLogsRequest, encodeStoredLogs, inflateGroups, type StoredGroup } from '../wire/otlp-logs.ts';
import { recordGroups, type SenderFacts } from './record-groups.ts';

/** So much JSON takes some twenty milliseconds. */
const TURN_BYTES = 4 << 20;

const gzipAsync = promisify(gzip);
/** Each piece of output costs a turn of the event loop. */
const GZIP_CHUNK_BYTES = 256 * 1024;

/** Makes the bodies of OTLP/HTTP requests, in the sink's encoding and compression. The same input gives the same bytes. */
export class OtlpEncoder {
  readonly #config: Pick<OtlpSinkConfig, 'encoding' | 'compression'>;
  readonly #sender: SenderFacts;

  constructor(config: Pick<OtlpSinkConfig, 'encoding' | 'compression'>, sender: SenderFacts) {
    this.#config = config;
    this.#sender = sender;
  }

  /** What a receiver must know to read a body. */
  get headers(): Readonly<Record<string, string>> {
    return {
      'content-type': this.#config.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      ...(this.#config.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
    };
  }

  /** Throws WireError where a block cannot be read. */
  async logs(batch: Batch): Promise<Buffer> {
    const groups = recordGroups(batch, this.#sender);
    if (this.#config.encoding === 'json') return this.#logsJson(groups);
    if (this.#config.compression === 'gzip') return gzipBody(encodeStoredLogs(groups));
    return Buffer.concat(encodeLogsRequest(inflateGroups(groups)));
  }

  /** Compressed at level 1, on the thread pool. */
  async metrics(otlp: Uint8Array): Promise<Buffer> {
    const bytes = this.#config.encoding === 'json' ? Buffer.from(metricsToJson(otlp)) : otlp;
    if (this.#config.compression === 'gzip')
      return gzipAsync(bytes, { level: 1, chunkSize: GZIP_CHUNK_BYTES });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * A piece at a time, for the whole is many times what it is compressed. A usual request is made in one go: were others
   * to have their turn after each piece, lines would be read faster than they are shipped.
   */
  async #logsJson(groups: readonly StoredGroup[]): Promise<Buffer> {
    const pieces: BodyPiece[] = [];
    let turnBytes = 0;
    for (const json of logsJsonPieces(groups)) {
      // About what was inflated for it.
      letGo(json.length);
      if (this.#config.compression === 'gzip') pieces.push(deflatedPiece(json));
      else pieces.push({ bytes: Uint8Array.from(json) });
      turnBytes += json.length;
      if (turnBytes < TURN_BYTES) continue;
      turnBytes = 0;
      await new Promise(setImmediate);
    }
    if (this.#config.compression === 'gzip') return gzipBody(pieces);
    return Buffer.concat(pieces.map(({ bytes }) => bytes));
  }
}
