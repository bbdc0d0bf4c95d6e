import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { proposePack } from '../../src/detect/propose-pack.ts';
import { tokenise } from '../../src/detect/tokenise.ts';

function pattern(lines: readonly string[]): string {
  return String(proposePack('x', lines).pattern);
}

describe('a proposed pattern', () => {
  it('has constant words as they are, and slots for what varies', () => {
    expect(pattern(['user 12 logged in from 192.0.2.1', 'user 7 logged in from 192.0.2.44'])).toBe(
      '^user (?<user>-?\\d+(?:\\.\\d+)?) logged in from (?<from>\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})$',
    );
  });

  it('ends in a message where lines part, and leaves the first words to it', () => {
    const lines = ['INFO [a] order placed', 'WARN [b] cart is empty again', 'INFO [a] payment of 12 failed'];
    expect(pattern(lines)).toBe('^(?<level>[A-Za-z]+) \\[(?<word>[A-Za-z_][\\w.$@-]*)\\] (?<message>.*)$');
  });

  it('takes three digits behind a time and a comma for its fraction, unless another column follows', () => {
    const python = ['2026-03-01 10:00:00,383 worker up', '2026-03-01 10:00:01,004 worker down'];
    expect(new RegExp(pattern(python)).exec(python[0]!)?.groups).toMatchObject({
      time: '2026-03-01 10:00:00,383',
    });
    const columns = [
      '2026-03-01 10:00:00,383,eu,12',
      '2026-03-01 10:00:01,4,us,7',
      '2026-03-01 10:00:03,212,eu,9',
    ];
    expect(new RegExp(pattern(columns)).exec(columns[0]!)?.groups).toMatchObject({
      time: '2026-03-01 10:00:00',
    });
  });

  it.each([
    [';', 'csv', undefined],
    ['|', 'csv', '|'],
    [',', 'csv', undefined],
    ['\t', 'tsv', undefined],
  ])(
    'is none for a table whose first line names its columns, with %j between them',
    (sign, format, separator) => {
      const lines = [`time${sign}status${sign}took_ms`, `2026-03-01 10:00:00${sign}ok${sign}12`];
      const proposed = proposePack('x', lines);
      expect(proposed.pattern).toBeUndefined();
      expect([proposed.format, proposed.separator]).toEqual([format, separator]);
      expect(proposed.timestamp).toEqual({ field: 'time', format: 'iso8601' });
    },
  );

  it('takes a lone dash for a missing value', () => {
    const found = new RegExp(pattern(['a 1', 'a 22', 'a -', 'a 3']));
    expect(found.exec('a -')?.groups).toEqual({ a: '-' });
    expect(found.exec('a 7')?.groups).toEqual({ a: '7' });
  });

  it('is always an expression, and tokens always are the line again', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc
        .array(fc.constantFrom('a=', '"x"', '12', ' ', '-', '[', ']', 'INFO', '10:00:01', '/p', '\\', '$'), {
          maxLength: 20,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        for (const one of lines)
          expect(
            tokenise(one)
              .map(({ text }) => text)
              .join(''),
          ).toBe(one);
        const proposed = proposePack('x', lines);
        if (typeof proposed.pattern === 'string') new RegExp(proposed.pattern);
      }),
    );
  });
});
