import type { AST } from '@eslint-community/regexpp';
import type { LineFormatInput, Pack } from '../config/pack-schema.ts';
import { layerPatterns } from './line-parsers.ts';
import type { Pattern } from './pattern/parse-pattern.ts';
import { compileMatcher } from './pattern/pattern-matcher.ts';
import { patternNotes } from './pattern/pattern-note.ts';
import type { PatternNote } from './pattern/pattern-note.ts';

/** How a line fares with one pattern of a pack. */
export type PatternAttempt = {
  /** Empty for the pack's own patterns; the field that a `then` reads for those within. */
  readonly field: string;
  readonly name: string;
  readonly engine: 'v8' | 're2js';
  /** What its author may not expect: its meaning, and why it can be slow. */
  readonly notes: readonly PatternNote[];
} & (
  | {
      readonly kind: 'matched';
      readonly captures: readonly { readonly field: string; readonly value: string }[];
    }
  | {
      readonly kind: 'failed';
      /** The longest beginning of the expression that matches, and the text it matches. */
      readonly matchedSource: string;
      readonly matchedText: string;
      /** Where in the text that ends: here the rest did not fit. */
      readonly at: number;
      /** The piece of the expression that comes next; empty where it all matched. */
      readonly expected: string;
    }
);

/** Every pattern of the pack on one line, in their order; those after the first that matched are tried too. */
export function explain(pack: Pack, line: string): readonly PatternAttempt[] {
  const attempts: PatternAttempt[] = [];
  let layer: (LineFormatInput & { then?: Pack['then'] }) | undefined = pack;
  let text: string | undefined = line;
  let field = '';
  while (layer !== undefined && text !== undefined) {
    const here = layerPatterns(layer, pack).map((pattern) => attempt(pattern, text!, field, pack.unsafe));
    attempts.push(...here);
    const { then }: { then?: Pack['then'] } = layer;
    const found = here.find((one) => one.kind === 'matched');
    text =
      found?.kind === 'matched' ? found.captures.find((one) => one.field === then?.field)?.value : undefined;
    field = then?.field ?? '';
    layer = then;
  }
  return attempts;
}

function attempt(pattern: Pattern, text: string, field: string, unsafe: boolean): PatternAttempt {
  const matcher = compileMatcher(pattern, unsafe);
  const notes = patternNotes(pattern, unsafe);
  const head = {
    field,
    name: pattern.name,
    engine: matcher.engine,
    notes,
  };
  const match = matcher.match(text);
  if (match === null) return { ...head, kind: 'failed', ...longestBeginning(pattern, text) };
  const captures = pattern.captures.flatMap((capture) => {
    const value = match[capture.group];
    return value === undefined ? [] : [{ field: capture.field, value }];
  });
  return { ...head, kind: 'matched', captures };
}

type Beginning = Pick<
  Extract<PatternAttempt, { kind: 'failed' }>,
  'matchedSource' | 'matchedText' | 'at' | 'expected'
>;

function longestBeginning(pattern: Pattern, text: string): Beginning {
  const whole = pattern.written({ start: 0, end: pattern.source.length });
  let best: Beginning = { matchedSource: '', matchedText: '', at: 0, expected: whole };
  for (const alternative of pattern.ast.alternatives) {
    const found = beginningOf(alternative, pattern, text);
    if (
      found.at > best.at ||
      (found.at === best.at && found.matchedSource.length > best.matchedSource.length)
    )
      best = found;
  }
  return best;
}

function beginningOf(alternative: AST.Alternative, pattern: Pattern, text: string): Beginning {
  const { source, flags, written } = pattern;
  const { elements } = alternative;
  for (let count = elements.length; count > 0; count--) {
    const part = { start: alternative.start, end: elements[count - 1]!.end };
    const match = tryExec(source.slice(part.start, part.end), flags, text);
    if (match === null) continue;
    const next = elements[count];
    return {
      matchedSource: written(part),
      matchedText: match[0],
      at: match.index + match[0].length,
      expected: next === undefined ? '' : written(next),
    };
  }
  return {
    matchedSource: '',
    matchedText: '',
    at: 0,
    expected: elements[0] === undefined ? '' : written(elements[0]),
  };
}

/** A beginning may be no expression by itself (a reference to a group that is cut off). */
function tryExec(source: string, flags: string, text: string): RegExpExecArray | null {
  try {
    return new RegExp(source, flags).exec(text);
  } catch {
    return null;
  }
}

/** What a pattern costs over some lines, each tried by itself. */
export interface PatternCost {
  readonly name: string;
  readonly engine: 'v8' | 're2js';
  readonly lines: number;
  readonly matched: number;
  readonly ms: number;
}

/** Tries every pattern of the pack's own layer on every line, as if it were the only one. */
export function patternCosts(
  pack: Pack,
  lines: readonly string[],
  monotonic: () => number,
): readonly PatternCost[] {
  return layerPatterns(pack, pack).map((pattern) => {
    const matcher = compileMatcher(pattern, pack.unsafe);
    const started = monotonic();
    let matched = 0;
    for (const line of lines) if (matcher.match(line) !== null) matched++;
    return {
      name: pattern.name,
      engine: matcher.engine,
      lines: lines.length,
      matched,
      ms: monotonic() - started,
    };
  });
}
