import type { Pack } from '../config/pack-schema.ts';
import type { ChunkText } from './chunk-text.ts';
import type { ScannerDeps, ScannerUse } from './compile-scanner.ts';
import type { EventHandler } from './event-handler.ts';
import { layerPatterns } from './line-parsers.ts';
import { LinesWalker } from './lines-walker.ts';
import { PatternBudget } from './pattern-budget.ts';
import { PatternWalker } from './pattern-walker.ts';
import { PatternsWalker } from './patterns-walker.ts';
import { compileDispatch } from './pattern/dispatch.ts';
import { chunkForm } from './pattern/chunk-form.ts';
import type { ChunkForm } from './pattern/chunk-form.ts';

/** A fast way over the text of a whole chunk. */
export interface ChunkWalker {
  walk(chunk: ChunkText): void;
}

/** Undefined where the pack has none. */
export function compileWalker(
  pack: Pack,
  handler: EventHandler,
  use: ScannerUse,
  deps: ScannerDeps,
): ChunkWalker | undefined {
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
  const names = patterns.map(({ name }) => name);
  const { monotonic, onPatternOut } = deps;
  const budget = new PatternBudget(
    monotonic === undefined || (use.budgetMs ?? 0) === 0
      ? undefined
      : { budgetMs: use.budgetMs!, monotonic, patternNames: names, onPatternOut: onPatternOut ?? (() => {}) },
  );
  return forms.length === 1
    ? new PatternWalker(forms[0]!, handler, budget)
    : new PatternsWalker(forms, compileDispatch(patterns), handler, budget);
}
