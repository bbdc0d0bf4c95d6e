import type { Row } from '../row.ts';

/** An expression for lines with the same keys in the same order. */
export interface LineShape {
  readonly source: string;
  /** What its groups capture, in their order. */
  readonly targets: readonly ShapeTarget[];
  /** True where the line has this shape; the row then has its fields. */
  fill(text: string, row: Row): boolean;
}

export interface ShapeTarget {
  readonly slot: number;
  /** As which the text is read. */
  readonly kind: 'string' | 'number' | 'boolean';
}

/** The value of a capture. */
export function valueOf(kind: ShapeTarget['kind'], text: string): string | number | boolean {
  return kind === 'string' ? text : kind === 'number' ? exactNumber(text) : text === 'true';
}

/** A number of JSON, or its text where a number would be another: an integer beyond 2^53, or what is beyond all numbers. */
export function exactNumber(text: string): number | string {
  const number = +text;
  if (text.length < UNSAFE_LENGTH) return number;
  return Number.isSafeInteger(number) || (Number.isFinite(number) && /[.eE]/.test(text)) ? number : text;
}

/** The shortest that may be: `1e309`. */
const UNSAFE_LENGTH = 5;

const SHAPES_MAX = 8;
/** Lines without end that fit no shape must not cost a compilation each. */
const LEARNED_MAX = 64;
/** After as many lines that fit no shape as this, shapes are no help for this log; they are asked no more. */
const MISSES_MAX = 10_000;

/** The shapes met so far, the one that matched last first. */
export class LineShapes {
  readonly #shapes: LineShape[] = [];
  #learned = 0;
  #hits = 0;
  #misses = 0;
  #version = 0;

  /** In no order that means something: no line fits two of them. */
  get all(): readonly LineShape[] {
    return this.#shapes;
  }

  /** Another number where there are other shapes. */
  get version(): number {
    return this.#version;
  }

  /** Told of lines that fitted one of them, for which `fill` was not asked. */
  hit(lines: number): void {
    this.#hits += lines;
  }

  fill(text: string, row: Row): boolean {
    const shapes = this.#shapes;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i]!;
      if (!shape.fill(text, row)) continue;
      if (i > 0) {
        shapes.splice(i, 1);
        shapes.unshift(shape);
      }
      this.#hits++;
      return true;
    }
    return false;
  }

  /** Told of a line that no shape fitted, with a way to make its shape. */
  learn(make: () => LineShape | undefined): void {
    if (++this.#misses > MISSES_MAX && this.#misses > this.#hits) {
      this.#shapes.length = 0;
      this.#learned = LEARNED_MAX;
      this.#version++;
    }
    if (this.#learned >= LEARNED_MAX) return;
    this.#learned++;
    const shape = make();
    if (shape === undefined) return;
    this.#version++;
    this.#shapes.unshift(shape);
    if (this.#shapes.length > SHAPES_MAX) this.#shapes.pop();
  }
}
