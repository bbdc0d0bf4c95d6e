import { describe, expect, it } from 'vitest';
import { packScanner } from './scan-text.ts';

describe('the budget of patterns', () => {
  const text = Array.from({ length: 1000 }, (_, i) => `a ${i}\n`).join('');

  it.each([false, true])(
    'takes a pattern that is over it out of service, with a reason (line by line: %s)',
    (lineByLine) => {
      let clock = 0;
      const out: string[] = [];
      const scanner = packScanner(
        {
          patterns: [
            // What goes forward over bytes needs no budget.
            { name: 'slow', pattern: 'a (?<n>\\d+)$' },
            { name: 'other', pattern: '^a (?<n>.*)$' },
          ],
        },
        { budgetMs: 100, lineByLine },
        {
          monotonic: () => (clock += 60),
          onPatternOut: (pattern, reason) => out.push(`${pattern}: ${reason}`),
        },
      );
      const { counts } = scanner.scan(text);
      expect(out[0]).toBe('slow: took more than 100 ms for one chunk');
      expect(counts.matched + counts.unmatched).toBe(1000);
      expect(counts.matched).toBeGreaterThan(0);
      scanner.scan(text, { from: 1 });
      expect(out.length).toBeLessThanOrEqual(2);
    },
  );

  it('leaves patterns alone that stay within it', () => {
    const out: string[] = [];
    const scanner = packScanner(
      { pattern: '^a (?<n>\\d+)$' },
      { budgetMs: 100 },
      { monotonic: () => 1, onPatternOut: (pattern) => out.push(pattern) },
    );
    expect(scanner.scan(text).counts).toMatchObject({ matched: 1000, unmatched: 0 });
    expect(out).toEqual([]);
  });
});
