/** What is worth telling of a source beside its counts: a line that nothing matched, patterns out of service. Kept in memory only. */
export class SourceNotes {
  readonly #unmatched = new Map<string, string>();
  readonly #patternsOut = new Map<string, Map<string, string>>();
  readonly #scanFailures = new Map<string, string>();

  readonly noteUnmatched = (source: string, sample: string): void => {
    this.#unmatched.set(source, sample);
  };

  notePatternOut(source: string, pattern: string, reason: string): void {
    const patterns = this.#patternsOut.get(source) ?? new Map<string, string>();
    patterns.set(pattern, reason);
    this.#patternsOut.set(source, patterns);
  }

  /** True if this is news of the source. */
  noteScanFailure(source: string, reason: string): boolean {
    const known = this.#scanFailures.get(source) === reason;
    this.#scanFailures.set(source, reason);
    return !known;
  }

  scanFailure(source: string): string | undefined {
    return this.#scanFailures.get(source);
  }

  unmatchedSample(source: string): string | undefined {
    return this.#unmatched.get(source);
  }

  patternsOut(source: string): readonly string[] {
    return [...(this.#patternsOut.get(source) ?? [])].map(([pattern, reason]) => `${pattern}: ${reason}`);
  }

  /** After a reload packs are compiled anew: what was out of service or failed has another chance. */
  forgetPatterns(): void {
    this.#patternsOut.clear();
    this.#scanFailures.clear();
  }
}
