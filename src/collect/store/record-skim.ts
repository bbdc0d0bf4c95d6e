import { ProtoReader } from '../../wire/protobuf.ts';
import { BadRecordError } from '../../wire/wire-error.ts';
import { nanosToMs, skimUsualRecord, UNUSUAL } from './usual-record.ts';

/** Deepest nesting of values in values; not more than `wire/` reads back. */
const VALUE_DEPTH_MAX = 12;

/**
 * Walks the LogRecord that is the reader's current field without making anything of it: checks that it can be decoded
 * later, and returns its event time in ms (the observed time where it has none, 0 where it has neither). Throws
 * BadRecordError where the message can be read but the record cannot be kept, else WireError.
 */
export function skimRecord(reader: ProtoReader): number {
  const outer = reader.enter();
  const usualMs = skimUsualRecord(reader.bytes, reader.at, reader.end);
  const timeMs = usualMs === UNUSUAL ? skimAnyRecord(reader) : usualMs;
  reader.leave(outer);
  return timeMs;
}

function skimAnyRecord(reader: ProtoReader): number {
  let timeMs = 0;
  let observedMs = 0;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        timeMs = nanosToMs(reader.bytes, reader.eight());
        break;
      case 11:
        observedMs = nanosToMs(reader.bytes, reader.eight());
        break;
      case 2:
        reader.uint();
        break;
      case 3:
      case 12:
        reader.blobStart();
        break;
      case 5:
        skimValue(reader, 0);
        break;
      case 6:
        skimKeyValue(reader, 0);
        break;
      case 8:
        reader.fixed32();
        break;
      case 9:
        skimId(reader, 16);
        break;
      case 10:
        skimId(reader, 8);
        break;
      default:
        reader.skip();
    }
  }
  return timeMs > 0 ? timeMs : observedMs;
}

function skimId(reader: ProtoReader, size: number): void {
  const length = -reader.blobStart() + reader.at;
  if (length !== 0 && length !== size)
    throw new BadRecordError(`trace or span id of ${length} bytes, expected ${size}`);
}

function skimKeyValue(reader: ProtoReader, depth: number): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) reader.blobStart();
    else if (reader.field === 2) skimValue(reader, depth);
    else reader.skip();
  }
  reader.leave(outer);
}

function skimValue(reader: ProtoReader, depth: number): void {
  if (depth > VALUE_DEPTH_MAX) throw new BadRecordError(`value nested deeper than ${VALUE_DEPTH_MAX}`);
  const outer = reader.enter();
  while (reader.next()) {
    switch (reader.field) {
      case 2:
      case 3:
        reader.uint();
        break;
      case 4:
        reader.eight();
        break;
      case 5:
        skimList(reader, () => skimValue(reader, depth + 1));
        break;
      case 6:
        skimList(reader, () => skimKeyValue(reader, depth + 1));
        break;
      case 1:
      case 7:
        reader.blobStart();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
}

function skimList(reader: ProtoReader, element: () => void): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) element();
    else reader.skip();
  }
  reader.leave(outer);
}
