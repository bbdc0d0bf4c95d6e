import type { FieldNames, Row } from '../row.ts';
import { valueOf } from './line-shapes.ts';
import type { LineShape, ShapeTarget } from './line-shapes.ts';

type JsonObject = Record<string, unknown>;

/**
 * The lines of one program have few shapes: the same keys in the same order, with values of the same kinds. A shape
 * is an expression that accepts exactly the JSON objects of that shape whose strings have no escapes. A line that it
 * matches is valid JSON and its captures are the values, so that JSON.parse would say the same; a line that it does
 * not match is parsed.
 */
export class JsonShape implements LineShape {
  readonly #regex: RegExp;
  readonly targets: readonly ShapeTarget[];

  private constructor(regex: RegExp, targets: readonly ShapeTarget[]) {
    this.#regex = regex;
    this.targets = targets;
  }

  get source(): string {
    return this.#regex.source;
  }

  /** The shape of an object as `text` has it; undefined where it has none (arrays, escapes, unusual spaces). */
  static of(object: JsonObject, text: string, fields: FieldNames): JsonShape | undefined {
    for (const style of STYLES) {
      const builder = new ShapeBuilder(style, fields);
      const source = builder.object(object, '', 0);
      if (source === undefined || source.length > SOURCE_MAX) return undefined;
      const regex = new RegExp(`^${source}$`);
      if (regex.test(text)) return new JsonShape(regex, builder.targets);
    }
    return undefined;
  }

  /** True where the line has this shape; the row then has its fields. */
  fill(text: string, row: Row): boolean {
    const match = this.#regex.exec(text);
    if (match === null) return false;
    const { targets } = this;
    for (let i = 0; i < targets.length; i++) {
      const { slot, kind } = targets[i]!;
      row.set(slot, valueOf(kind, match[i + 1]!));
    }
    return true;
  }
}

interface Style {
  readonly comma: string;
  readonly colon: string;
}

/** As JavaScript and Go write JSON, and as Python does. */
const STYLES: readonly Style[] = [
  { comma: ',', colon: ':' },
  { comma: ', ', colon: ': ' },
];
const SOURCE_MAX = 8000;
const DEPTH_MAX = 8;
const KEY = /^[\w.@$ /-]{1,200}$/;

const STRING = '[^"\\\\\\u0000-\\u001f]*';
const NUMBER = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?';

class ShapeBuilder {
  readonly targets: ShapeTarget[] = [];
  readonly #style: Style;
  readonly #fields: FieldNames;
  readonly #slots = new Set<number>();

  constructor(style: Style, fields: FieldNames) {
    this.#style = style;
    this.#fields = fields;
  }

  object(object: JsonObject, prefix: string, depth: number): string | undefined {
    if (depth > DEPTH_MAX) return undefined;
    const members: string[] = [];
    for (const [key, value] of Object.entries(object)) {
      if (!KEY.test(key)) return undefined;
      const source = this.#value(value, prefix === '' ? key : `${prefix}.${key}`, depth);
      if (source === undefined) return undefined;
      members.push(`"${key.replaceAll(/[.$/-]/g, '\\$&')}"${this.#style.colon}${source}`);
    }
    return `\\{${members.join(this.#style.comma)}\\}`;
  }

  #value(value: unknown, name: string, depth: number): string | undefined {
    if (value === null) return 'null';
    if (typeof value === 'object')
      return Array.isArray(value) ? undefined : this.object(value as JsonObject, name, depth + 1);
    const slot = this.#fields.find(name);
    // Two places for one field: which of them wins is left to the general way.
    if (slot >= 0 && this.#slots.has(slot)) return undefined;
    const open = slot < 0 ? '(?:' : '(';
    const kind = typeof value as ShapeTarget['kind'];
    if (slot >= 0) {
      this.#slots.add(slot);
      this.targets.push({ slot, kind });
    }
    if (kind === 'string') return `"${open}${STRING})"`;
    return `${open}${kind === 'number' ? NUMBER : 'true|false'})`;
  }
}
