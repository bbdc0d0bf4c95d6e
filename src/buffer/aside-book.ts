import type { AsideLines } from './cursor-journal.ts';

/** What a sink keeps of what its receiver refused: lines by source under each id, and their sums. */
export class AsideBook {
  readonly #lines: Map<string, ReadonlyMap<string, number>>;
  readonly #sums = new Map<string, number>();
  #state: AsideLines | undefined;

  constructor(state: Readonly<AsideLines>) {
    this.#lines = new Map(
      Object.entries(state).map(([id, lines]) => [id, new Map(Object.entries(lines))] as const),
    );
    for (const lines of this.#lines.values()) this.#addUp(lines, 1);
  }

  get lines(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#lines;
  }

  get sums(): ReadonlyMap<string, number> {
    return this.#sums;
  }

  /** The same object until something changes. */
  state(): Readonly<AsideLines> {
    this.#state ??= Object.fromEntries(
      [...this.#lines].map(([id, lines]) => [id, Object.fromEntries(lines)] as const),
    );
    return this.#state;
  }

  add(id: string, lines: ReadonlyMap<string, number>): void {
    this.#lines.set(id, lines);
    this.#addUp(lines, 1);
    this.#state = undefined;
  }

  /** The lines that are no longer set aside; undefined where there is nothing by that id. */
  end(id: string): ReadonlyMap<string, number> | undefined {
    const lines = this.#lines.get(id);
    if (lines === undefined) return undefined;
    this.#lines.delete(id);
    this.#addUp(lines, -1);
    this.#state = undefined;
    return lines;
  }

  #addUp(lines: ReadonlyMap<string, number>, sign: 1 | -1): void {
    for (const [source, count] of lines) this.#sums.set(source, (this.#sums.get(source) ?? 0) + sign * count);
  }
}
