import type { Pack } from '../config/pack-schema.ts';
import { captureUse } from './capture-use.ts';
import type { ChunkText } from './chunk-text.ts';
import type { EventHandler } from './event-handler.ts';
import { ByteWalker } from './byte-walker.ts';
import { layerPatterns } from './line-parsers.ts';
import { LinesWalker } from './lines-walker.ts';
import { PatternLines } from './pattern-lines.ts';
import { ShapeLines } from './shape-lines.ts';
import { PatternWalker } from './pattern-walker.ts';
import { PatternsWalker } from './patterns-walker.ts';
import { SparseWalker } from './sparse-walker.ts';
import { compileByteMatcher } from './pattern/byte-matcher.ts';
import { compileDispatch } from './pattern/dispatch.ts';
import { chunkForm } from './pattern/chunk-form.ts';
import type { ChunkForm } from './pattern/chunk-form.ts';
import { requiredLiteral } from './pattern/required-literal.ts';

/** A fast way over the text of a whole chunk. */
export interface ChunkWalker {
  /** Whether it may be given lines that are longer than V8 can be trusted with. */
  readonly longLines: boolean;
  walk(chunk: ChunkText): void;
}

/** The fastest way, over bytes; undefined where the pack has none. `isSpared`: there is a faster way for lines that do not match. */
export function compileByteWalker(
  pack: Pack,
  handler: EventHandler,
  isSpared: boolean,
): ByteWalker | undefined {
  if (pack.multiline !== undefined) return undefined;
  const { shapes } = handler;
  if (shapes !== undefined) return new ByteWalker(new ShapeLines(shapes, handler), handler, isSpared);
  if (pack.then !== undefined || pack.format !== undefined) return undefined;
  const matcher = compileByteMatcher(
    layerPatterns(pack, pack),
    (field) => handler.fields.find(field) >= 0,
    (captures) => captureUse(captures, handler),
  );
  const isMixed = matcher !== undefined && matcher.patterns.length > 1;
  if (matcher === undefined || (isMixed && !matcher.patterns.every(({ use }) => use.plain))) return undefined;
  return new ByteWalker(new PatternLines(matcher, handler), handler, isSpared);
}

/** For packs of patterns whose lines may be rare; undefined where they cannot be searched for. */
export function compileSparseWalker(pack: Pack, handler: EventHandler): SparseWalker | undefined {
  if (pack.multiline !== undefined || pack.then !== undefined || pack.format !== undefined) return undefined;
  return SparseWalker.of(layerPatterns(pack, pack).map(requiredLiteral), handler);
}

/** Undefined where the pack has none. */
export function compileWalker(pack: Pack, handler: EventHandler): ChunkWalker | undefined {
  if (pack.multiline !== undefined || pack.format === 'cri') return undefined;
  if (pack.then !== undefined || pack.format !== undefined) return new LinesWalker(handler);
  const { fields } = handler;
  const patterns = layerPatterns(pack, pack);
  const forms: ChunkForm[] = [];
  for (const pattern of patterns) {
    const form = chunkForm(pattern, (field) => fields.find(field) >= 0);
    if (form === undefined) return new LinesWalker(handler);
    forms.push(form);
  }
  const { budget } = handler;
  return forms.length === 1
    ? new PatternWalker(forms[0]!, handler, budget)
    : new PatternsWalker(forms, compileDispatch(patterns), handler, budget);
}
