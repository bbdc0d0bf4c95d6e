import type { FieldNames, Row } from '../row.ts';
import { JsonPaths } from './json-paths.ts';
import { JsonShape } from './json-shape.ts';
import { LineShapes, exactNumber } from './line-shapes.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/** Objects deeper than this are kept as JSON text. */
const DEPTH_MAX = 8;

const OPEN = 0x7b;

/** A JSON object a line; nested keys are `a.b`, arrays are kept as JSON text. */
export class JsonParser implements LineParser {
  readonly #fields: FieldNames;
  readonly #recordsAt: readonly string[] | undefined;
  readonly #paths: JsonPaths | undefined;
  readonly shapes: LineShapes | undefined;
  readonly next: LineParser['next'];
  #rest: unknown[] = [];

  /** `recordsAt`: where an array stands whose elements are the events (`Records`). */
  constructor(fields: FieldNames, recordsAt: string | undefined) {
    this.#fields = fields;
    this.#recordsAt = recordsAt?.split('.');
    if (recordsAt === undefined) this.shapes = new LineShapes();
    else this.next = (row) => this.#next(row);
    const wanted = fields.wanted()?.filter(({ name }) => !name.startsWith('@'));
    if (wanted !== undefined) this.#paths = JsonPaths.of(wanted);
  }

  parse(text: string, row: Row): number {
    if (this.#rest.length > 0) this.#rest = [];
    if (this.shapes?.fill(text, row) === true) return 0;
    const value = parseObject(exactText(text));
    if (value === undefined) return UNMATCHED;
    if (this.#recordsAt === undefined) {
      this.shapes!.learn(() => JsonShape.of(parseObject(text)!, text, this.#fields));
      this.#take(value, row);
      return 0;
    }
    let at: unknown = value;
    for (const key of this.#recordsAt) at = isObject(at) ? at[key] : undefined;
    if (!Array.isArray(at) || at.length === 0) return UNMATCHED;
    this.#rest = at.toReversed();
    return this.#next(row);
  }

  #next(row: Row): number {
    while (this.#rest.length > 0) {
      const value = this.#rest.pop();
      if (!isObject(value)) continue;
      try {
        this.#take(value, row);
        return 0;
      } catch {
        // Too deep to be written as text: the records beside it go on.
        row.clear();
      }
    }
    return UNMATCHED;
  }

  #take(object: Record<string, unknown>, row: Row): void {
    if (this.#paths?.fill(object, row) === true) return;
    this.#fill(object, '', row, 0);
  }

  #fill(object: Record<string, unknown>, prefix: string, row: Row, depth: number): void {
    for (const key in object) {
      const value = object[key];
      const name = prefix === '' ? key : `${prefix}.${key}`;
      if (typeof value === 'object' && value !== null) {
        if (!Array.isArray(value) && depth < DEPTH_MAX) {
          this.#fill(value as Record<string, unknown>, name, row, depth + 1);
          continue;
        }
        const slot = this.#fields.find(name);
        if (slot >= 0) row.set(slot, JSON.stringify(value));
      } else if (value !== null && value !== undefined) {
        row.set(this.#fields.find(name), value as string | number | boolean);
      }
    }
  }
}

const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Only where it may be: so many digits, or a large exponent. */
const MAY_BE_INEXACT = /\d{16}|[eE]\+?\d{3}/;

/** With numbers that JavaScript would make others of as strings. */
function exactText(text: string): string {
  if (!MAY_BE_INEXACT.test(text)) return text;
  return text.replaceAll(STRINGS_AND_NUMBERS, (part) =>
    part.startsWith('"') || typeof exactNumber(part) === 'number' ? part : `"${part}"`,
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.charCodeAt(0) !== OPEN && text.trimStart().charCodeAt(0) !== OPEN) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
