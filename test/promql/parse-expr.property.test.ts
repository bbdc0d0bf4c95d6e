import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { exprToString } from '../../src/promql/expr-to-string.ts';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import { arbitraryVector } from './arbitrary-expr.ts';

describe('any valid expression', () => {
  it('means the same after it was written out and read again', () => {
    fc.assert(
      fc.property(arbitraryVector, (expr) => {
        const once = exprToString(parseExpr(expr));
        expect(exprToString(parseExpr(once))).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe('any text at all', () => {
  const word = fc.constantFrom(
    ...'( ) { } [ ] , : @ + - * / ^ == =~ ! < > " \' ` \\ # 5m 1e 0x . .5 sum by on rate( a b="c" offset bool inf nan é \n'.split(
      ' ',
    ),
  );

  it.each([
    ['random text', fc.string({ unit: 'binary', maxLength: 60 })],
    ['random words of the language', fc.array(word, { maxLength: 20 }).map((words) => words.join(''))],
    [
      'a valid expression with a piece cut out',
      fc.tuple(arbitraryVector, fc.nat(), fc.nat(10)).map(([expr, at, length]) => {
        const cut = at % (expr.length + 1);
        return expr.slice(0, cut) + expr.slice(cut + length);
      }),
    ],
  ])('is parsed or refused with a PromqlError whose position lies in the text: %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (expr) => {
        try {
          parseExpr(expr);
        } catch (error) {
          if (!(error instanceof PromqlError)) throw error;
          expect(error.position.start).toBeGreaterThanOrEqual(0);
          expect(error.position.end).toBeLessThanOrEqual(expr.length);
          expect(error.message).toMatch(/^\d+:\d+: parse error: ./);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
