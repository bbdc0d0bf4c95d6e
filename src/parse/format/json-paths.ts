import type { Row } from '../row.ts';

type JsonObject = Record<string, unknown>;

/** A wanted field and the ways in which an object can hold it: `a.b` as key `a.b`, or as key `b` in `a`. */
interface Wanted {
  readonly slot: number;
  readonly ways: readonly (readonly string[])[];
}

/** Names with more dots have too many ways; all fields are then gone through. */
const DOTS_MAX = 3;

/** Takes single fields from objects without going through all that they hold. */
export class JsonPaths {
  readonly #wanted: readonly Wanted[];

  private constructor(wanted: readonly Wanted[]) {
    this.#wanted = wanted;
  }

  static of(fields: readonly { readonly name: string; readonly slot: number }[]): JsonPaths | undefined {
    if (fields.some(({ name }) => name.split('.').length - 1 > DOTS_MAX)) return undefined;
    return new JsonPaths(fields.map(({ name, slot }) => ({ slot, ways: waysOf(name) })));
  }

  /** False where a field can be taken in more than one way, or holds more than text, number or truth: go through all then. */
  fill(object: JsonObject, row: Row): boolean {
    for (const { slot, ways } of this.#wanted) {
      let found: string | number | boolean | undefined;
      for (const way of ways) {
        const value = descend(object, way);
        if (value === undefined || value === null) continue;
        if (found !== undefined || typeof value === 'object') return false;
        found = value as string | number | boolean;
      }
      if (found !== undefined) row.set(slot, found);
    }
    return true;
  }
}

function descend(object: JsonObject, way: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of way) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}

function waysOf(name: string): string[][] {
  const dot = name.indexOf('.');
  const ways = [[name]];
  for (let at = dot; at >= 0; at = name.indexOf('.', at + 1)) {
    for (const rest of waysOf(name.slice(at + 1))) ways.push([name.slice(0, at), ...rest]);
  }
  return ways;
}
