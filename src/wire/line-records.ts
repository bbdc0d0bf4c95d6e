import type { LineField, LineLayout } from '../model/record-writer.ts';
import { BusyCode } from '../wasm/busy-code.ts';
import { CONSTANTS, OUTPUT } from '../wasm/scratch.ts';
import { WasmCode } from '../wasm/wasm-code.ts';
import type { Label, Local } from '../wasm/wasm-code.ts';
import { ProtoWriter } from './protobuf.ts';

/** Up to here the lengths of an attribute with a short value take one byte. */
const PREFIX_MAX = 70;
/** Prefix and text together: with them every length within an attribute takes one byte. */
const SHORT_ATTRIBUTE = 124;
/** Tag and length of a record: two bytes of length fit most; others are moved. */
const RECORD_HEAD = 3;
/** Two fields of eight bytes, with their tags. */
export const TIMES_BYTES = 18;
/** Of an attribute beside its prefix and its text: two tags, and three lengths of at most three bytes. */
const ATTRIBUTE_HEAD = 11;
/** What a number takes at most, with its tag. */
const NUMBER_BYTES = 9;
/** Of a body: two tags and two lengths. */
const BODY_HEAD = 8;
/** What may be written behind the end of what is copied. */
const SLACK = 32;
const WORD = 4;
const WIDTH = 16;
/** Code that wrote so many is optimised. */
const MANY_LINES = 100_000;

/** Of a line, from MOMENTS on: its time as OTLP has it, where its severity is, and how many bytes that takes, or -1. */
export const MOMENT_WORDS = 4;
/** In words, where the code tells how far it wrote; and in bytes, where the time is that was observed, as OTLP has it. */
export const WRITTEN = CONSTANTS / WORD;
export const OBSERVED = CONSTANTS + WORD;
/** Where the attributes begin that all records have. */
export const SHARED = CONSTANTS + WIDTH;

/**
 * Code that writes lines as fields `log_records` of ScopeLogs, byte for byte what the record writer makes of them. Its
 * parameters are the address of the first line's results, that behind the last's, that of the first line's moment, how
 * many bytes the shared attributes take, and where the output must end. It gives how many lines it wrote. Undefined where
 * a field's key is too long.
 */
export function compileLineRecords(layout: LineLayout): BusyCode | undefined {
  if (layout.fields.some((fields) => fields.some(({ key }) => prefixOf(key).length > PREFIX_MAX)))
    return undefined;
  const code = new WasmCode(5);
  new LinesCode(code, layout).write();
  return new BusyCode('write', 5, code, MANY_LINES);
}

/** The `key` field of KeyValue, and the tag of its `value` field. */
export function prefixOf(key: string): Uint8Array {
  const out = new ProtoWriter(key.length * 3 + 8);
  out.text(1, key);
  out.uint8((2 << 3) | 2);
  return out.copy();
}

class LinesCode {
  readonly #code: WasmCode;
  readonly #layout: LineLayout;
  readonly #line: Local;
  readonly #at: Local;
  readonly #start: Local;
  readonly #length: Local;
  readonly #from: Local;
  readonly #to: Local;
  readonly #rest: Local;

  constructor(code: WasmCode, layout: LineLayout) {
    this.#code = code;
    this.#layout = layout;
    this.#line = code.parameter(0);
    this.#at = code.local();
    this.#start = code.local();
    this.#length = code.local();
    this.#from = code.local();
    this.#to = code.local();
    this.#rest = code.local();
  }

  write(): void {
    const code = this.#code;
    const line = this.#line;
    const at = this.#at;
    const { begin, end, stride, fields, pattern } = this.#layout;
    const moment = code.parameter(2);
    const shared = code.parameter(3);
    const record = code.local();
    const lines = code.local();
    code.const(OUTPUT).set(record);
    code.block((stop) => {
      code.loop((again) => {
        code.get(line).get(code.parameter(1)).geU().brIf(stop);
        this.#load(begin, this.#start);
        this.#load(end, this.#length);
        code.get(this.#length).get(this.#start).sub().set(this.#length);
        const severity = code.local();
        code.get(moment).load(12).tee(severity).const(0).ltS().brIf(stop);
        // Each capture may be as long as the line.
        const captures = Math.max(...fields.map((list) => list.length));
        code
          .get(this.#length)
          .const(captures + 1)
          .mul()
          .get(severity)
          .add()
          .get(shared)
          .add();
        code
          .const(Math.max(...fields.map(fixedBytes)))
          .add()
          .get(record)
          .add();
        code.get(code.parameter(4)).gtU().brIf(stop);
        code.get(record).const(RECORD_HEAD).add().set(at);
        this.#times(moment);
        this.#copy(() => code.const(SHARED), shared);
        this.#copy(() => code.get(moment).load(8), severity);
        code.block((done) => {
          for (const [index, list] of fields.entries()) {
            code.block((other) => {
              code
                .get(line)
                .load(pattern * WORD)
                .const(index)
                .ne()
                .brIf(other);
              for (const field of list) this.#attribute(field, stop);
              code.br(done);
            });
          }
        });
        this.#body(begin, end);
        this.#head(record);
        code.get(at).set(record);
        code
          .get(moment)
          .const(MOMENT_WORDS * WORD)
          .add()
          .set(moment);
        code
          .get(line)
          .const(stride * WORD)
          .add()
          .set(line);
        code.get(lines).const(1).add().set(lines).br(again);
      });
    });
    code
      .const(WRITTEN * WORD)
      .get(record)
      .store();
    code.get(lines);
  }

  #load(word: number, into: Local): void {
    this.#code
      .get(this.#line)
      .load(word * WORD)
      .set(into);
  }

  /** Constant bytes from the place on, which stays; a few behind them are overwritten. */
  #bytes(bytes: Uint8Array): void {
    const code = this.#code;
    for (let at = 0; at < bytes.length; at += WIDTH) {
      const part = new Uint8Array(WIDTH);
      part.set(bytes.subarray(at, at + WIDTH));
      code.get(this.#at).constV(part).storeV(at);
    }
  }

  #move(count: number): void {
    this.#code.get(this.#at).const(count).add().set(this.#at);
  }

  /** Sixteen bytes at a time, so that up to fifteen more are overwritten. */
  #copy(from: () => void, length: Local): void {
    const code = this.#code;
    from();
    code.set(this.#from).get(this.#at).set(this.#to);
    code.get(this.#at).get(length).add().set(this.#at);
    code.loop((more) => {
      code.get(this.#to).get(this.#from).loadV().storeV();
      code.get(this.#from).const(WIDTH).add().set(this.#from);
      code.get(this.#to).const(WIDTH).add().tee(this.#to).get(this.#at).ltU().brIf(more);
    });
  }

  #times(moment: Local): void {
    const code = this.#code;
    const at = this.#at;
    code
      .get(at)
      .const((1 << 3) | 1)
      .store8();
    code.get(at).get(moment).load().store(1);
    code.get(at).get(moment).load(4).store(5);
    code
      .get(at)
      .const((11 << 3) | 1)
      .store8(9);
    code.get(at).const(OBSERVED).load().store(10);
    code
      .get(at)
      .const(OBSERVED + 4)
      .load()
      .store(14);
    this.#move(TIMES_BYTES);
  }

  #attribute(field: LineField, stop: Label): void {
    const code = this.#code;
    const prefix = prefixOf(field.key);
    code.block((written) => {
      this.#load(field.place, this.#start);
      code.get(this.#start).eqz().brIf(written);
      this.#load(field.place + 1, this.#length);
      code.get(this.#length).get(this.#start).sub().set(this.#length);
      if (field.type !== 'text') this.#number(field, prefix, { written, stop });
      code.block((headed) => {
        code.block((long) => {
          code
            .get(this.#length)
            .const(SHORT_ATTRIBUTE - prefix.length)
            .gtU()
            .brIf(long);
          this.#attributeHead(prefix, () =>
            code
              .get(this.#length)
              .const(prefix.length + 3)
              .add(),
          );
          code.get(this.#at).get(this.#length).const(2).add().store8();
          code
            .get(this.#at)
            .const((1 << 3) | 2)
            .store8(1);
          code.get(this.#at).get(this.#length).store8(2);
          this.#move(3);
          code.br(headed);
        });
        this.#longHead(prefix);
      });
      this.#copy(() => code.get(this.#start), this.#length);
    });
  }

  /** Up to the value's length, where the attribute's takes one byte. */
  #attributeHead(prefix: Uint8Array, length: () => void): void {
    const code = this.#code;
    this.#bytes(Buffer.concat([Buffer.from([(6 << 3) | 2, 0]), prefix]));
    code.get(this.#at);
    length();
    code.store8(1);
    this.#move(2 + prefix.length);
  }

  #longHead(prefix: Uint8Array): void {
    const code = this.#code;
    const value = code.local();
    code.get(this.#length).const(1).add();
    this.#varintSize(this.#length);
    code.add().set(value);
    code
      .get(this.#at)
      .const((6 << 3) | 2)
      .store8();
    this.#move(1);
    code.get(value).const(prefix.length).add();
    this.#varintSize(value);
    code.add().set(this.#rest);
    this.#varint();
    this.#bytes(prefix);
    this.#move(prefix.length);
    code.get(value).set(this.#rest);
    this.#varint();
    this.#textHead(1);
  }

  /** Tag and length of a text. */
  #textHead(field: number): void {
    const code = this.#code;
    code
      .get(this.#at)
      .const((field << 3) | 2)
      .store8();
    this.#move(1);
    code.get(this.#length).set(this.#rest);
    this.#varint();
  }

  /** Leaves on the stack how many bytes it takes, which are three at most. */
  #varintSize(value: Local): void {
    this.#code.const(1).get(value).const(0x7f).gtU().add().get(value).const(0x3fff).gtU().add();
  }

  /** Writes `#rest`. */
  #varint(): void {
    const code = this.#code;
    const rest = this.#rest;
    code.block((last) => {
      code.loop((more) => {
        code.get(rest).const(0x80).ltU().brIf(last);
        code.get(this.#at).get(rest).const(0x80).or().store8();
        this.#move(1);
        code.get(rest).const(7).shrU().set(rest).br(more);
      });
    });
    code.get(this.#at).get(rest).store8();
    this.#move(1);
  }

  /**
   * As the record writer has it: whole numbers as integers, whatever the field's type. Goes on behind for what is surely no
   * number: nothing, or one character, such as `-`.
   */
  #number({ type, digits }: LineField, prefix: Uint8Array, then: Record<'written' | 'stop', Label>): void {
    const code = this.#code;
    const number = code.local();
    const decimals = code.local();
    const power = code.local();
    const { written, stop } = then;
    this.#load(digits, number);
    code.block((none) => {
      code.get(number).const(0).ltS();
      code.if(() => code.get(this.#length).const(1).gtU().brIf(stop).br(none));
      this.#load(digits + 1, decimals);
      code.get(decimals);
      if (type === 'int') code.brIf(stop);
      else
        code.if(() => {
          // Ten to the power of the decimals.
          code.const(1).set(power);
          code.loop((more) => {
            code.get(power).const(10).mul().set(power);
            code.get(decimals).const(1).sub().tee(decimals).brIf(more);
          });
          code.get(number).get(power).remU();
          code.if(() => {
            this.#attributeHead(prefix, () => code.const(prefix.length + 10));
            code.get(this.#at).const(9).store8();
            code
              .get(this.#at)
              .const((4 << 3) | 1)
              .store8(1);
            code.get(this.#at).get(number).convertF().get(power).convertF().divF().storeF(2);
            this.#move(10);
            code.br(written);
          });
          code.get(number).get(power).divU().set(number);
        });
      this.#integer(number, prefix);
      code.br(written);
    });
  }

  #integer(number: Local, prefix: Uint8Array): void {
    const code = this.#code;
    const size = code.local();
    this.#varintSize(number);
    code.get(number).const(0x1fffff).gtU().add().get(number).const(0xfffffff).gtU().add().set(size);
    this.#attributeHead(prefix, () =>
      code
        .get(size)
        .const(prefix.length + 2)
        .add(),
    );
    code.get(this.#at).get(size).const(1).add().store8();
    code
      .get(this.#at)
      .const(3 << 3)
      .store8(1);
    this.#move(2);
    code.get(number).set(this.#rest);
    this.#varint();
  }

  #body(begin: number, end: number): void {
    const code = this.#code;
    this.#load(begin, this.#start);
    this.#load(end, this.#length);
    code.get(this.#length).get(this.#start).sub().set(this.#length);
    code
      .get(this.#at)
      .const((5 << 3) | 2)
      .store8();
    this.#move(1);
    code.get(this.#length).const(1).add();
    this.#varintSize(this.#length);
    code.add().set(this.#rest);
    this.#varint();
    this.#textHead(1);
    this.#copy(() => code.get(this.#start), this.#length);
  }

  /** Tag and length of the record, whose content ends at the place; moves the content where they take more or less room. */
  #head(record: Local): void {
    const code = this.#code;
    const at = this.#at;
    const size = code.local();
    const shift = code.local();
    code.get(at).get(record).sub().const(RECORD_HEAD).sub().set(size);
    this.#varintSize(size);
    code
      .const(RECORD_HEAD - 1)
      .sub()
      .tee(shift);
    code.if(() => {
      code.get(record).const(RECORD_HEAD).add().get(shift).add();
      code.get(record).const(RECORD_HEAD).add();
      code.get(size).copy();
    });
    code
      .get(record)
      .const((2 << 3) | 2)
      .store8();
    code.get(record).const(1).add().set(at);
    code.get(size).set(this.#rest);
    this.#varint();
    code.get(at).get(size).add().set(at);
  }
}

/** What the record of a line takes at most, beside the line, its captures, its severity and what all have. */
function fixedBytes(fields: readonly LineField[]): number {
  const attributes = fields.map(({ key }) => ATTRIBUTE_HEAD + NUMBER_BYTES + prefixOf(key).length);
  return RECORD_HEAD + TIMES_BYTES + BODY_HEAD + SLACK + attributes.reduce((sum, bytes) => sum + bytes, 0);
}
