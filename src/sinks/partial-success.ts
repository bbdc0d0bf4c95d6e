import { BYTES, ProtoReader, VARINT } from '../wire/protobuf.ts';

export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

const SAID_MAX = 1000;

export const ALL_WELL: PartialSuccess = { rejected: 0, message: '' };

/**
 * What a receiver says it left out of a request that it took otherwise (Export…ServiceResponse). An answer that
 * cannot be read says nothing: many receivers answer 200 with a body of their own.
 */
export function readPartialSuccess(body: Uint8Array, contentType: string): PartialSuccess {
  try {
    const said = contentType.includes('json')
      ? fromJson(Buffer.from(body).toString('utf8'))
      : fromProtobuf(body);
    // It goes to a log and a terminal.
    return {
      ...said,
      message: said.message
        .replace(/[\p{C}\s]+/gu, ' ')
        .trim()
        .slice(0, SAID_MAX),
    };
  } catch {
    return ALL_WELL;
  }
}

function fromJson(text: string): PartialSuccess {
  if (text.trim() === '') return ALL_WELL;
  const { partialSuccess } = JSON.parse(text) as { partialSuccess?: Readonly<Record<string, unknown>> };
  if (partialSuccess === undefined) return ALL_WELL;
  const rejected = Number(partialSuccess['rejectedLogRecords'] ?? partialSuccess['rejectedDataPoints'] ?? 0);
  const message = partialSuccess['errorMessage'];
  return {
    rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
    message: typeof message === 'string' ? message : '',
  };
}

function fromProtobuf(body: Uint8Array): PartialSuccess {
  const reader = new ProtoReader(body);
  let found = ALL_WELL;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === BYTES) found = readMessage(reader);
    else reader.skip();
  }
  return found;
}

function readMessage(reader: ProtoReader): PartialSuccess {
  const outer = reader.enter();
  let rejected = 0;
  let message = '';
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === VARINT) rejected = reader.uint();
    else if (reader.field === 2) message = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  return { rejected, message };
}
