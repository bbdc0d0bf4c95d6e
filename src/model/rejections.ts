/** More reasons than anybody reads. */
const REASONS_MAX = 20;

/** What of a request could not be kept: how many, for each reason. */
export class Rejections {
  readonly #counts = new Map<string, number>();
  #others = 0;
  total = 0;

  add(reason: string, count: number): void {
    this.total += count;
    const known = this.#counts.get(reason);
    if (known === undefined && this.#counts.size >= REASONS_MAX) this.#others += count;
    else this.#counts.set(reason, (known ?? 0) + count);
  }

  clear(): void {
    this.#counts.clear();
    this.#others = 0;
    this.total = 0;
  }

  /** `reason (3); other reason (1)`, in the order in which they came up; '' where nothing was left out. */
  get text(): string {
    const parts = [...this.#counts].map(([reason, count]) => `${reason} (${count})`);
    if (this.#others > 0) parts.push(`other reasons (${this.#others})`);
    return parts.join('; ');
  }
}
