import type { LogExpr } from './ast.ts';
import type { Line } from './line.ts';
import { LineLabels } from './line-labels.ts';
import { compilePipeline, type StageStep } from './pipeline.ts';

/** A form that lines have, with `<_>` for what differs; how many of them by the start of each step, in seconds. */
export interface LinePattern {
  readonly pattern: string;
  readonly level: string;
  readonly samples: readonly (readonly [number, number])[];
}

interface Cluster {
  readonly level: string;
  /** Undefined where lines differ. */
  readonly tokens: (string | undefined)[];
  readonly gaps: readonly string[];
  readonly counts: Map<number, number>;
  lines: number;
}

const CLUSTERS_MAX = 500;
const TOKENS_MAX = 80;
const TEXT_MAX = 2000;
/** Share of tokens that must be the same for a line to be of a form. */
const SIMILAR = 0.6;

/**
 * Finds the forms of lines, in the manner of the Drain method: lines of as many words, whose first word is the same, are
 * held against the forms known so far; where enough words agree, those that do not become `<_>`.
 */
export class PatternMiner {
  readonly #step: StageStep;
  readonly #stepSeconds: number;
  readonly #labels = new LineLabels();
  readonly #groups = new Map<string, Cluster[]>();
  #clusters = 0;

  constructor({ stages }: LogExpr, stepMs: number) {
    this.#step = compilePipeline(stages);
    this.#stepSeconds = Math.max(1, Math.round(stepMs / 1000));
  }

  add(line: Line): void {
    this.#labels.begin(line);
    const text = this.#step(line.text, this.#labels);
    if (text === undefined || text === '') return;
    const level = this.#labels.get('detected_level') ?? 'unknown';
    const cluster = this.#clusterOf(text.slice(0, TEXT_MAX), level);
    if (cluster === undefined) return;
    const second = Math.floor(line.ms / 1000 / this.#stepSeconds) * this.#stepSeconds;
    cluster.counts.set(second, (cluster.counts.get(second) ?? 0) + 1);
    cluster.lines++;
  }

  /** Those of more than one line, the most frequent first. */
  patterns(): readonly LinePattern[] {
    return [...this.#groups.values()]
      .flat()
      .filter(({ lines }) => lines > 1)
      .sort((a, b) => b.lines - a.lines)
      .map(({ tokens, gaps, level, counts }) => ({
        pattern: written(tokens, gaps),
        level,
        samples: [...counts].sort(([a], [b]) => a - b),
      }));
  }

  #clusterOf(text: string, level: string): Cluster | undefined {
    const { tokens, gaps } = wordsOf(text);
    const key = `${level}\0${tokens.length}\0${varies(tokens[0] ?? '') ? '' : tokens[0]}\0${gaps.join('')}`;
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = []));
    let best: Cluster | undefined;
    let bestShare = SIMILAR;
    for (const cluster of group) {
      const share = similarity(cluster.tokens, tokens);
      if (share < bestShare) continue;
      best = cluster;
      bestShare = share;
    }
    if (best !== undefined) {
      for (const [i, token] of tokens.entries()) if (best.tokens[i] !== token) best.tokens[i] = undefined;
      return best;
    }
    if (this.#clusters >= CLUSTERS_MAX) return undefined;
    this.#clusters++;
    const cluster = {
      level,
      tokens: tokens.map((token) => (varies(token) ? undefined : token)),
      gaps,
      counts: new Map(),
      lines: 0,
    };
    group.push(cluster);
    return cluster;
  }
}

/** A word with a digit in it is never part of the form. */
function varies(token: string): boolean {
  return /\d/.test(token);
}

/** Words, and what stands before each and behind the last. */
function wordsOf(text: string): { tokens: string[]; gaps: string[] } {
  const tokens: string[] = [];
  const gaps: string[] = [];
  let at = 0;
  for (const match of text.matchAll(/[^\s"'=,:;()[\]{}<>|]+/g)) {
    if (tokens.length >= TOKENS_MAX) break;
    gaps.push(text.slice(at, match.index));
    tokens.push(match[0]);
    at = match.index + match[0].length;
  }
  gaps.push(tokens.length >= TOKENS_MAX ? '' : text.slice(at));
  return { tokens, gaps };
}

function similarity(known: readonly (string | undefined)[], tokens: readonly string[]): number {
  if (tokens.length === 0) return 1;
  let same = 0;
  for (const [i, token] of tokens.entries())
    if (known[i] === token || (known[i] === undefined && varies(token))) same++;
  return same / tokens.length;
}

function written(tokens: readonly (string | undefined)[], gaps: readonly string[]): string {
  let pattern = '';
  for (const [i, token] of tokens.entries()) {
    const gap = gaps[i]!;
    // Two captures side by side would say nothing of where the first one ends.
    pattern += gap === '' && token === undefined && pattern.endsWith('<_>') ? '' : gap + (token ?? '<_>');
  }
  const rest = gaps.at(-1)!;
  return tokens.length >= TOKENS_MAX ? `${pattern}<_>` : pattern + rest;
}
