import type { FieldNames, Row } from '../row.ts';
import type { LineShape, ShapeTarget } from './line-shapes.ts';

/** One pair at a time: a key, then a value in double quotes without escapes, or a bare one. */
const PAIR = /([^\s="']+)=(?:"([^"\\]*)"|([^ \t"'][^ \t]*|(?=[ \t]|$)))(?: |$)/y;
const QUOTED = '[^"\\\\]*';
const BARE = '(?:[^ \\t"\'][^ \\t]*)?';
const PAIRS_MAX = 100;

/**
 * A logfmt line with these keys in this order, one space between pairs, each value either bare or in double quotes
 * without escapes, as it was in the first such line.
 */
export class PairShape implements LineShape {
  readonly #regex: RegExp;
  readonly targets: readonly ShapeTarget[];

  private constructor(regex: RegExp, targets: readonly ShapeTarget[]) {
    this.#regex = regex;
    this.targets = targets;
  }

  get source(): string {
    return this.#regex.source;
  }

  static of(text: string, fields: FieldNames): PairShape | undefined {
    const parts: string[] = [];
    const targets: ShapeTarget[] = [];
    const keys = new Set<string>();
    PAIR.lastIndex = 0;
    while (PAIR.lastIndex < text.length) {
      const match = PAIR.exec(text);
      if (match === null || keys.has(match[1]!) || keys.size >= PAIRS_MAX) return undefined;
      const key = match[1]!;
      keys.add(key);
      const slot = fields.find(key);
      const open = slot < 0 ? '(?:' : '(';
      if (slot >= 0) targets.push({ slot, kind: 'string' });
      const value = match[2] === undefined ? `${open}${BARE})` : `"${open}${QUOTED})"`;
      parts.push(`${key.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}=${value}`);
    }
    const regex = new RegExp(`^${parts.join(' ')}$`);
    return regex.test(text) ? new PairShape(regex, targets) : undefined;
  }

  fill(text: string, row: Row): boolean {
    const match = this.#regex.exec(text);
    if (match === null) return false;
    const { targets } = this;
    for (let i = 0; i < targets.length; i++) row.set(targets[i]!.slot, match[i + 1]!);
    return true;
  }
}
