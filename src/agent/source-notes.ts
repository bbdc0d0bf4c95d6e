import type { PatternOut } from './scanner-set.ts';

/** What is worth telling of a source beside its counts: a line that nothing matched, patterns out of service. Kept in memory only. */
export class SourceNotes {
  readonly #unmatched = new Map<string, string>();
  readonly #patternsOut = new Map<string, Map<string, string>>();

  readonly noteUnmatched = (source: string, sample: string): void => {
    this.#unmatched.set(source, sample);
  };

  readonly notePatternOut: PatternOut = (source, pattern, reason) => {
    const patterns = this.#patternsOut.get(source) ?? new Map<string, string>();
    patterns.set(pattern, reason);
    this.#patternsOut.set(source, patterns);
  };

  unmatchedSample(source: string): string | undefined {
    return this.#unmatched.get(source);
  }

  patternsOut(source: string): readonly string[] {
    return [...(this.#patternsOut.get(source) ?? [])].map(([pattern, reason]) => `${pattern}: ${reason}`);
  }

  /** After a reload packs are compiled anew: what was out of service has another chance. */
  forgetPatterns(): void {
    this.#patternsOut.clear();
  }
}
