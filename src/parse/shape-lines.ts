import { latin1, plainNumber, POWERS, ValueCache } from './byte-values.ts';
import type { EventHandler } from './event-handler.ts';
import { valueOf } from './format/line-shapes.ts';
import type { LineShape, LineShapes, ShapeTarget } from './format/line-shapes.ts';
import { NEWLINE } from './matched-lines.ts';
import type { MatchedLines } from './matched-lines.ts';
import { compileByteMatcher } from './pattern/byte-matcher.ts';
import type { ByteMatcher } from './pattern/byte-matcher.ts';
import { LINES, PATTERN, PLACES } from './pattern/line-results.ts';
import type { CaptureUse } from './pattern/line-results.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import type { Pattern } from './pattern/parse-pattern.ts';
import { scratch } from '../wasm/scratch.ts';

interface Reading {
  readonly target: ShapeTarget;
  readonly place: number;
  /** Of a number, where its digits are; -1 for others. */
  readonly digits: number;
  readonly cache: ValueCache;
}

/** Lines of a structured format that have one of the shapes that were met before. Others are parsed, and may add a shape. */
export class ShapeLines implements MatchedLines {
  readonly decides = false;
  readonly #shapes: LineShapes;
  readonly #handler: EventHandler;
  #version = -1;
  #matcher: ByteMatcher<CaptureUse> | undefined;
  /** By pattern. */
  #readings: readonly (readonly Reading[])[] = [];

  constructor(shapes: LineShapes, handler: EventHandler) {
    this.#shapes = shapes;
    this.#handler = handler;
  }

  matcher(): ByteMatcher<CaptureUse> | undefined {
    if (this.#version !== this.#shapes.version) {
      this.#version = this.#shapes.version;
      this.#compile(this.#shapes.all);
    }
    return this.#matcher;
  }

  #compile(shapes: readonly LineShape[]): void {
    const numeric = ({ targets }: LineShape): number[] =>
      [...targets.keys()].filter((n) => targets[n]!.kind === 'number');
    this.#matcher = compileByteMatcher(
      shapes.map(shapePattern),
      () => true,
      (_, index) => ({ keyed: [], numeric: numeric(shapes[index]!) }),
      { dispatch: false },
    );
    this.#readings = shapes.map((shape) => {
      const numbers = numeric(shape);
      return shape.targets.map((target, n) => ({
        target,
        place: PLACES + n * 2,
        digits: numbers.includes(n) ? PLACES + (shape.targets.length + numbers.indexOf(n)) * 2 : -1,
        cache: new ValueCache(),
      }));
    });
  }

  begin(): void {
    this.#handler.row.clear();
  }

  accept(count: number): void {
    const { bytes, ints } = scratch;
    const handler = this.#handler;
    const { row } = handler;
    const { stride } = this.#matcher!;
    this.#shapes.hit(count);
    for (let from = LINES; from < LINES + count * stride; from += stride) {
      row.clear();
      const readings = this.#readings[ints[from + PATTERN]!]!;
      for (let n = 0; n < readings.length; n++) {
        const reading = readings[n]!;
        row.set(reading.target.slot, read(reading, bytes, ints, from));
      }
      const start = ints[from]!;
      const end = ints[from + 1]!;
      handler.goOnBytes(start, end, end - start + (bytes[end] === NEWLINE ? 1 : 2));
    }
  }

  clear(): void {
    this.#handler.row.clear();
  }

  end(): void {
    this.#handler.row.clear();
  }
}

/** With its captures, which have no names. */
function shapePattern({ source, targets }: LineShape): Pattern {
  const captures = targets.map((_, n) => ({ group: n + 1, field: String(n) }));
  return { ...parsePattern({ name: 'shape', pattern: source, dialect: 'javascript' }, {}), captures };
}

function read(
  { target, place, digits, cache }: Reading,
  bytes: Buffer,
  results: Int32Array,
  line: number,
): string | number | boolean {
  const start = results[line + place]!;
  const end = results[line + place + 1]!;
  if (target.kind === 'string') return cache.text(bytes, start, end);
  if (target.kind === 'number') {
    const whole = results[line + digits]!;
    const decimals = results[line + digits + 1]!;
    if (whole >= 0) return decimals === 0 ? whole : whole / POWERS[decimals]!;
    const number = plainNumber(bytes, start, end);
    if (number === number) return number;
  }
  return valueOf(target.kind, latin1(bytes, start, end));
}
