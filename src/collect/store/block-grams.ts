import { type AnyValue, anyValueText, DecodeBudget, readAnyValue } from '../../wire/any-value.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { GramFilterBuilder } from './gram-filter.ts';

const budget = new DecodeBudget(Number.MAX_SAFE_INTEGER);
/** Characters that RE2 takes for s and k where case does not matter. */
const FOLDED = [Buffer.from('\u017f'), Buffer.from('\u212a')];

/** The filter of a run of `log_records` fields: over lines, values of attributes, and ids of traces and spans. */
export function gramsOfBlock(bytes: Buffer): Uint8Array {
  const builder = new GramFilterBuilder();
  if (FOLDED.some((sequence) => bytes.includes(sequence))) builder.takeAll();
  const reader = new ProtoReader(bytes);
  while (reader.next()) {
    if (reader.field === 2) addRecord(reader, builder);
    else reader.skip();
  }
  return builder.finish();
}

function addRecord(reader: ProtoReader, builder: GramFilterBuilder): void {
  const outer = reader.enter();
  while (reader.next()) {
    switch (reader.field) {
      case 5:
        addValue(reader, builder);
        break;
      case 6:
        addAttribute(reader, builder);
        break;
      case 9:
      case 10:
        builder.addText(Buffer.from(reader.blob()).toString('hex'));
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
}

function addAttribute(reader: ProtoReader, builder: GramFilterBuilder): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 2) addValue(reader, builder);
    else reader.skip();
  }
  reader.leave(outer);
}

/** Nearly always a text, whose bytes are taken as they lie. */
function addValue(reader: ProtoReader, builder: GramFilterBuilder): void {
  const start = reader.at;
  const outer = reader.enter();
  const isText = reader.next() && reader.field === 1;
  const from = isText ? reader.blobStart() : 0;
  const isAll = isText && reader.at === reader.end;
  if (isAll) builder.addBytes(reader.bytes, from, reader.at);
  reader.leave(outer);
  if (isAll) return;
  reader.at = start;
  reader.wireType = 2;
  addTexts(readAnyValue(reader, budget), builder);
}

/** As a body it is one text, as metadata each member of a map is. */
function addTexts(value: AnyValue, builder: GramFilterBuilder): void {
  builder.addText(anyValueText(value));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const member of Object.values(value)) addTexts(member, builder);
}
