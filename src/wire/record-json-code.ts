import { compileLoop } from '../wasm/compile-wasm.ts';
import type { WasmFunction } from '../wasm/compile-wasm.ts';
import { ESCAPES, OUTPUT, scratch } from '../wasm/scratch.ts';
import { WasmCode } from '../wasm/wasm-code.ts';
import type { Label, Local } from '../wasm/wasm-code.ts';

const WORD = 4;
const WIDTH = 16;
/** In words, where the code tells which record is next, by its address, and how far it wrote. */
export const NEXT_RECORD = 5;
export const JSON_WRITTEN = 6;
/** JSON takes no more bytes for each byte of a record, and for a record. */
const GROWTH = 8;
const HEAD_MAX = 256;
/** Numbers with a fraction are written here if they have no more decimals. */
const DECIMALS_MAX = 6;
/** An entry of the table: how long the text is, and the text. */
const ESCAPE_BYTES = 8;
/** Beyond it, characters stand for themselves. */
const ESCAPED_LAST = 0x5c;

/**
 * Code that writes log records of protobuf as OTLP/JSON, as the record writer makes them. Its parameters are the address of
 * the first record, that behind the last, whether there is a comma before the first, and where the output must end. It
 * gives how many records it wrote: up to one that has something else than usual, or for which there is no more room.
 */
export function compileRecordJson(): WasmFunction {
  for (let character = 0; character <= ESCAPED_LAST; character++) {
    const text = JSON.stringify(String.fromCharCode(character)).slice(1, -1);
    const at = ESCAPES + character * ESCAPE_BYTES;
    scratch.bytes[at] = text.length;
    scratch.bytes.write(text, at + 1, 'latin1');
  }
  const code = new WasmCode(4);
  new RecordJsonCode(code).write();
  return compileLoop('write', 4, code);
}

/** What stands between two addresses. */
interface Span {
  readonly at: Local;
  readonly end: Local;
}

class RecordJsonCode {
  readonly #code: WasmCode;
  readonly #out: Local;
  readonly #vector: Local;
  readonly #number: Local;
  readonly #digits: Local;
  readonly #to: Local;
  readonly #long: Local;
  readonly #mask: Local;

  constructor(code: WasmCode) {
    this.#code = code;
    this.#out = code.local();
    this.#vector = code.local('v128');
    this.#number = code.local();
    this.#digits = code.local();
    this.#to = code.local();
    this.#long = code.local('i64');
    this.#mask = code.local();
  }

  write(): void {
    const code = this.#code;
    const out = this.#out;
    const next = code.parameter(0);
    const end = code.parameter(1);
    const comma = code.parameter(2);
    const written = code.local();
    const records = code.local();
    const record = { at: code.local(), end: code.local() };
    code.const(OUTPUT).set(written);
    code.block((stop) => {
      code.loop((again) => {
        code.get(next).get(end).geU().brIf(stop);
        code.get(next).set(record.at).get(written).set(out);
        this.#expect(0x12, record.at, stop);
        this.#span({ at: record.at, end }, record, stop);
        code.get(record.end).get(record.at).sub().const(GROWTH).mul();
        code.const(HEAD_MAX).add().get(out).add().get(code.parameter(3)).gtU().brIf(stop);
        code.get(comma);
        code.if(() => this.#text(','));
        this.#record(record, stop);
        code.get(out).set(written).get(record.end).set(next);
        code.const(1).set(comma).get(records).const(1).add().set(records).br(again);
      });
    });
    code
      .const(NEXT_RECORD * WORD)
      .get(next)
      .store();
    code
      .const(JSON_WRITTEN * WORD)
      .get(written)
      .store();
    code.get(records);
  }

  /** Passes a byte that must be there. */
  #expect(byte: number, at: Local, fail: Label): void {
    const code = this.#code;
    code.get(at).load8().const(byte).ne().brIf(fail);
    code.get(at).const(1).add().set(at);
  }

  /** Passes a number of up to four bytes. */
  #varint(at: Local, into: Local, fail: Label): void {
    const code = this.#code;
    const byte = code.local();
    code.const(0).set(into);
    code.block((done) => {
      for (let n = 0; n < 4; n++) {
        code.get(at).load8().set(byte);
        code.get(at).const(1).add().set(at);
        code
          .get(byte)
          .const(0x7f)
          .and()
          .const(n * 7)
          .shl()
          .get(into)
          .or()
          .set(into);
        code.get(byte).const(0x80).ltU().brIf(done);
      }
      code.br(fail);
    });
  }

  /** Reads a length, and gives what has it; that must end within `outer`. */
  #span(outer: Span, into: Span, fail: Label): void {
    const code = this.#code;
    const length = code.local();
    this.#varint(outer.at, length, fail);
    code.get(outer.at).set(into.at);
    code.get(outer.at).get(length).add().tee(into.end).get(outer.end).gtU().brIf(fail);
  }

  #record(record: Span, fail: Label): void {
    const code = this.#code;
    const local = (): Local => code.local();
    const found = { time: local(), observed: local(), severity: local() };
    const severityText = { at: local(), end: local() };
    const body = { at: local(), end: local() };
    const attributes = { at: local(), end: local() };
    for (const place of [found.time, found.observed, found.severity, severityText.at, severityText.end])
      code.const(0).set(place);
    for (const place of [body.at, attributes.at, attributes.end]) code.const(0).set(place);
    this.#fields(record, fail, {
      time: (at) => code.get(at).set(found.time),
      observed: (at) => code.get(at).set(found.observed),
      severity: (value) => code.get(value).set(found.severity),
      severityText: ({ at, end }) => code.get(at).set(severityText.at).get(end).set(severityText.end),
      body: ({ at, end }) => code.get(at).set(body.at).get(end).set(body.end),
      attribute: (start, { end }) => {
        code.get(attributes.at).eqz();
        code.if(() => code.get(start).set(attributes.at));
        code.get(end).set(attributes.end);
      },
    });
    this.#text('{"timeUnixNano":');
    this.#nanos(found.time);
    this.#text(',"observedTimeUnixNano":');
    this.#nanos(found.observed);
    code.get(found.severity);
    code.if(() => {
      this.#text(',"severityNumber":');
      code.get(found.severity).set(this.#number);
      this.#decimal();
    });
    code.get(severityText.end).get(severityText.at).gtU();
    code.if(() => {
      this.#text(',"severityText":"');
      this.#escaped(severityText);
      this.#text('"');
    });
    code.get(body.at).eqz().brIf(fail);
    this.#text(',"body":');
    this.#value(body, fail);
    this.#text(',"attributes":[');
    code.get(attributes.at);
    code.if(() => this.#attributes(attributes, fail));
    this.#text(']}');
  }

  /** Goes over the fields of a record. */
  #fields(record: Span, fail: Label, on: FieldCode): void {
    const code = this.#code;
    const { at, end } = record;
    const start = code.local();
    const tag = code.local();
    const part = { at: code.local(), end: code.local() };
    const field = (value: number, then: (next: Label) => void, next: Label): void => {
      code.get(tag).const(value).eq();
      code.if(() => {
        then(next);
        code.br(next);
      });
    };
    const eight = (then: (at: Local) => void) => (): void => {
      then(at);
      code.get(at).const(8).add().set(at);
    };
    const sized = (then: (part: Span) => void) => (): void => {
      this.#span(record, part, fail);
      then(part);
      code.get(part.end).set(at);
    };
    code.block((done) => {
      code.loop((next) => {
        code.get(at).get(end).geU().brIf(done);
        code.get(at).tee(start).load8().set(tag);
        code.get(at).const(1).add().set(at);
        field((6 << 3) | 2, sized((span) => on.attribute(start, span)), next); // prettier-ignore
        field((1 << 3) | 1, eight(on.time), next);
        field((11 << 3) | 1, eight(on.observed), next);
        field((5 << 3) | 2, sized(on.body), next);
        field((3 << 3) | 2, sized(on.severityText), next);
        field(2 << 3, () => {
          this.#varint(at, start, fail);
          on.severity(start);
        }, next); // prettier-ignore
        code.br(fail);
      });
    });
    code.get(at).get(end).ne().brIf(fail);
  }

  /** Between them may be other fields, which are known to be well-formed. */
  #attributes(attributes: Span, fail: Label): void {
    const code = this.#code;
    const first = code.local();
    const key = { at: code.local(), end: code.local() };
    const value = { at: code.local(), end: code.local() };
    const nothing = (): void => undefined;
    code.const(1).set(first);
    this.#fields(attributes, fail, {
      time: nothing,
      observed: nothing,
      severity: nothing,
      severityText: nothing,
      body: nothing,
      attribute: (_, attribute) => {
        code.get(first).eqz();
        code.if(() => this.#text(','));
        code.const(0).set(first);
        this.#text('{"key":"');
        this.#expect((1 << 3) | 2, attribute.at, fail);
        this.#span(attribute, key, fail);
        this.#escaped(key);
        code.get(key.end).set(attribute.at);
        this.#text('","value":');
        this.#expect((2 << 3) | 2, attribute.at, fail);
        this.#span(attribute, value, fail);
        code.get(value.end).get(attribute.end).ne().brIf(fail);
        this.#value(value, fail);
        this.#text('}');
      },
    });
  }

  /** An AnyValue. */
  #value({ at, end }: Span, fail: Label): void {
    const code = this.#code;
    const tag = code.local();
    const text = { at: code.local(), end: code.local() };
    code.get(at).load8().set(tag);
    code.get(at).const(1).add().set(at);
    const kind = (value: number, then: () => void, written: Label): void => {
      code.get(tag).const(value).eq();
      code.if(() => {
        then();
        code.br(written);
      });
    };
    code.block((written) => {
      kind((1 << 3) | 2, () => {
        this.#span({ at, end }, text, fail);
        code.get(text.end).get(end).ne().brIf(fail);
        this.#text('{"stringValue":"');
        this.#escaped(text);
        this.#text('"}');
      }, written); // prettier-ignore
      kind(3 << 3, () => {
        this.#varint(at, this.#number, fail);
        code.get(at).get(end).ne().brIf(fail);
        this.#text('{"intValue":"');
        this.#decimal();
        this.#text('"}');
      }, written); // prettier-ignore
      kind((4 << 3) | 1, () => {
        code.get(at).const(8).add().get(end).ne().brIf(fail);
        this.#text('{"doubleValue":');
        this.#double(at, fail);
        this.#text('}');
      }, written); // prettier-ignore
      kind(2 << 3, () => {
        this.#varint(at, this.#number, fail);
        code.get(at).get(end).ne().brIf(fail);
        code.block((done) => {
          code.get(this.#number);
          code.if(() => {
            this.#text('{"boolValue":true}');
            code.br(done);
          });
          this.#text('{"boolValue":false}');
        });
      }, written); // prettier-ignore
      code.br(fail);
    });
  }

  #text(text: string): void {
    const code = this.#code;
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += WIDTH) {
      const part = new Uint8Array(WIDTH);
      part.set(bytes.subarray(at, at + WIDTH));
      code.get(this.#out).constV(part).storeV(at);
    }
    code.get(this.#out).const(bytes.length).add().set(this.#out);
  }

  /** Sixteen bytes at a time, up to the first that must not stand for itself. */
  #escaped({ at, end }: Span): void {
    const code = this.#code;
    const out = this.#out;
    const escape = this.#to;
    code.block((done) => {
      code.loop((more) => {
        code.get(at).get(end).geU().brIf(done);
        code.get(at).loadV().set(this.#vector);
        code.get(out).get(this.#vector).storeV();
        code.get(this.#vector).constV(all(0x20)).ltV();
        code.get(this.#vector).constV(all(0x22)).eqV().orV();
        code.get(this.#vector).constV(all(0x5c)).eqV().orV();
        // How many bytes stand for themselves.
        code.bitmask().const(0x10000).or().ctz().set(this.#mask);
        code.get(at).get(this.#mask).add().get(end).geU();
        code.if(() => {
          code.get(out).get(end).add().get(at).sub().set(out);
          code.br(done);
        });
        code.get(at).get(this.#mask).add().set(at);
        code.get(out).get(this.#mask).add().set(out);
        code.get(this.#mask).const(WIDTH).eq().brIf(more);
        code.get(at).load8().const(ESCAPE_BYTES).mul().const(ESCAPES).add().set(escape);
        code.get(out).get(escape).loadL(1).storeL();
        code.get(out).get(escape).load8().add().set(out);
        code.get(at).const(1).add().set(at).br(more);
      });
    });
  }

  /** Writes `#number`. */
  #decimal(): void {
    const code = this.#code;
    const to = this.#to;
    code.get(this.#number).set(this.#digits).const(0).set(to);
    code.loop((more) => {
      code.get(to).const(1).add().set(to);
      code.get(this.#digits).const(10).divU().tee(this.#digits).brIf(more);
    });
    code.get(this.#out).get(to).add().tee(to).set(this.#out);
    code.loop((more) => {
      code.get(to).const(1).sub().tee(to);
      code.get(this.#number).const(10).remU().const(0x30).add().store8();
      code.get(this.#number).const(10).divU().tee(this.#number).brIf(more);
    });
  }

  /** The eight bytes at an address, or 0 where that is 0, in quotes. */
  #nanos(address: Local): void {
    const code = this.#code;
    const long = this.#long;
    const to = this.#to;
    const rest = code.local('i64');
    code.constL(0).set(long);
    code.get(address);
    code.if(() => code.get(address).loadL().set(long));
    this.#text('"');
    code.get(long).set(rest).const(0).set(to);
    code.loop((more) => {
      code.get(to).const(1).add().set(to);
      code.get(rest).constL(10).divUL().tee(rest).eqzL().eqz().brIf(more);
    });
    code.get(this.#out).get(to).add().tee(to).set(this.#out);
    code.loop((more) => {
      code.get(to).const(1).sub().tee(to);
      code.get(long).constL(10).remUL().wrapL().const(0x30).add().store8();
      code.get(long).constL(10).divUL().tee(long).eqzL().eqz().brIf(more);
    });
    this.#text('"');
  }

  /**
   * A number that is so many integer parts of a power of ten: with the fewest decimals that give it, those are the digits
   * that JavaScript writes.
   */
  #double(at: Local, fail: Label): void {
    const code = this.#code;
    const value = code.local('f64');
    const parts = code.local();
    const decimals = code.local();
    const power = code.local();
    code.get(at).loadF().set(value);
    code.block((found) => {
      for (let n = 1; n <= DECIMALS_MAX; n++) {
        code
          .get(value)
          .constF(10 ** n)
          .mulF()
          .constF(0.5)
          .addF()
          .truncateF()
          .set(parts);
        code
          .const(n)
          .set(decimals)
          .const(10 ** n)
          .set(power);
        code.get(parts).convertF().constF(10 ** n).divF().get(value).eqF().brIf(found); // prettier-ignore
      }
      code.br(fail);
    });
    // Nothing, or no fraction.
    code.get(parts).const(10).remU().eqz().brIf(fail);
    code.get(parts).get(power).divU().set(this.#number);
    this.#decimal();
    this.#text('.');
    code.get(parts).get(power).remU().set(parts);
    code.get(this.#out).get(decimals).add().tee(this.#to).set(this.#out);
    code.loop((more) => {
      code.get(this.#to).const(1).sub().tee(this.#to);
      code.get(parts).const(10).remU().const(0x30).add().store8();
      code.get(parts).const(10).divU().set(parts);
      code.get(decimals).const(1).sub().tee(decimals).brIf(more);
    });
  }
}

/** What to do with the fields of a record. */
interface FieldCode {
  /** Where its eight bytes are. */
  readonly time: (at: Local) => void;
  readonly observed: (at: Local) => void;
  readonly severity: (value: Local) => void;
  readonly severityText: (text: Span) => void;
  readonly body: (value: Span) => void;
  /** `start`: of the field. */
  readonly attribute: (start: Local, attribute: Span) => void;
}

function all(byte: number): Uint8Array {
  return new Uint8Array(WIDTH).fill(byte);
}
