/** The clock is looked at after so many lines or characters, whichever comes first. */
const LINES = 64;
const CHARACTERS = 64 * 1024;

export interface BudgetUse {
  readonly budgetMs: number;
  readonly monotonic: () => number;
  readonly onPatternOut: (pattern: string, reason: string) => void;
}

/**
 * How long the patterns of a pack may take for one chunk. Linear time bounds a line; this bounds what is merely slow.
 * A pattern over the budget is out of service for the life of its scanner: its lines go on as unmatched.
 */
export class PatternBudget {
  readonly #use: BudgetUse | undefined;
  readonly #out = new Set<string>();
  #startedMs = 0;
  #lines = 0;
  #at = 0;

  constructor(use: BudgetUse | undefined) {
    this.#use = use;
  }

  /** A new chunk. */
  begin(): void {
    if (this.#use === undefined) return;
    this.#startedMs = this.#use.monotonic();
    this.#lines = 0;
    this.#at = 0;
  }

  /** Places begin at 0 again, in the same chunk. */
  beginPiece(): void {
    this.#at = 0;
  }

  /** Asked before a pattern is tried at a place of the chunk; false where it is, or has now been, taken out of service. */
  allows(pattern: string, at: number): boolean {
    if (this.#use === undefined) return true;
    if (this.#out.has(pattern)) return false;
    if (++this.#lines < LINES && at - this.#at < CHARACTERS) return true;
    this.#lines = 0;
    this.#at = at;
    const spentMs = this.#use.monotonic() - this.#startedMs;
    if (spentMs <= this.#use.budgetMs) return true;
    this.#out.add(pattern);
    this.#startedMs += spentMs;
    this.#use.onPatternOut(pattern, `took more than ${this.#use.budgetMs} ms for one chunk`);
    return false;
  }
}
