import { type BodyEncoding, decompressBody, type EncodedBody } from '../../platform/encoded-body.ts';

/** As the column has it; a number is never given another meaning. */
const NUMBERS = { gzip: 1, deflate: 2, br: 3 } as const;

type StorableEncoding = keyof typeof NUMBERS;

/** A request's body that is stored as it came. */
export interface StoredBody {
  readonly encoding: number;
  readonly bytes: Uint8Array;
}

/** Smaller ones are not worth a row of their own. */
const PLAIN_BYTES_MIN = 16 * 1024;
/** A query for one of its records reads all of them. The largest that our agents send, as they come, have 3 MiB of records. */
const PLAIN_BYTES_MAX = 4 * 1024 * 1024;
/** Less than that and its sender took no trouble; ours is better. */
const RATIO_MIN = 3;

/** How a body is stored as it came; undefined where its records are better stored in blocks of our own making. */
export function storableBody(body: EncodedBody, plainBytes: number): StoredBody | undefined {
  const { encoding, bytes } = body;
  if (!isStorable(encoding) || plainBytes < PLAIN_BYTES_MIN || plainBytes > PLAIN_BYTES_MAX) return undefined;
  if (bytes.length * RATIO_MIN > plainBytes) return undefined;
  return { encoding: NUMBERS[encoding], bytes };
}

export function readStoredBody({ encoding, bytes }: StoredBody): Buffer {
  const name = Object.keys(NUMBERS).find((one) => NUMBERS[one as StorableEncoding] === encoding);
  if (name === undefined) throw new Error(`record body with unknown encoding ${encoding}`);
  return decompressBody({ bytes, encoding: name as StorableEncoding, inflatedBytesMax: PLAIN_BYTES_MAX });
}

function isStorable(encoding: BodyEncoding): encoding is StorableEncoding {
  return encoding in NUMBERS;
}
