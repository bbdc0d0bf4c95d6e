import type { z } from 'zod';

/** The part of a zod schema's own description that we walk. */
interface SchemaDef {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly in?: z.ZodType;
  readonly innerType?: z.ZodType;
}

const cache = new WeakMap<z.ZodType, ReadonlyMap<string, readonly string[]>>();

/**
 * The keys that a schema accepts at each path, for "did you mean". Paths are written `sources.labels`, without list
 * indices, and with `*` for a name of the user's own.
 */
export function keysOf(schema: z.ZodType): ReadonlyMap<string, readonly string[]> {
  let keys = cache.get(schema);
  if (keys === undefined) {
    const found = new Map<string, string[]>();
    collect(schema, '', found, 0);
    keys = found;
    cache.set(schema, keys);
  }
  return keys;
}

function collect(schema: z.ZodType, path: string, into: Map<string, string[]>, depth: number): void {
  if (depth > 24) return;
  const def = (schema as unknown as { def: SchemaDef }).def;
  if (def.shape !== undefined) {
    const known = into.get(path) ?? [];
    into.set(path, known);
    for (const [key, inner] of Object.entries(def.shape)) {
      if (!known.includes(key)) known.push(key);
      collect(inner, path === '' ? key : `${path}.${key}`, into, depth + 1);
    }
  }
  if (def.valueType !== undefined) collect(def.valueType, path === '' ? '*' : `${path}.*`, into, depth + 1);
  for (const inner of [def.element, def.in, def.innerType, ...(def.options ?? [])]) {
    if (inner !== undefined) collect(inner, path, into, depth + 1);
  }
}

/** The keys that are accepted at a path of a document, names of the user's own among it. */
export function keysAt(
  keys: ReadonlyMap<string, readonly string[]>,
  path: readonly string[],
): readonly string[] {
  const exact = keys.get(path.join('.'));
  if (exact !== undefined) return exact;
  for (let i = path.length - 1; i >= 0; i--) {
    const found = keys.get(path.with(i, '*').join('.'));
    if (found !== undefined) return found;
  }
  return [];
}
