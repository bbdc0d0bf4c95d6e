/** Which life of a series number is meant: numbers are given again after a series was forgotten. */
export class SeriesGenerations {
  readonly #lives: Uint16Array;

  constructor(capacity: number) {
    this.#lives = new Uint16Array(capacity);
  }

  of(sid: number): number {
    return this.#lives[sid]!;
  }

  is(sid: number, life: number): boolean {
    return this.#lives[sid] === life;
  }

  /** The series is forgotten: what was remembered of it holds no more. */
  end(sid: number): void {
    this.#lives[sid]!++;
  }
}
