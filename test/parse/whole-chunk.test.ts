import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { decodeChunk } from '../../src/parse/chunk-text.ts';
import { packScanner } from './scan-text.ts';

const LETTERS = ['a', 'b', 'A', ' ', '"', ':', '1', '2', 'é', 'ß', '-'];
const atom = fc.constantFrom('a', 'b', 'ab', ':', ' ', '1', '.', '\\d', '\\s', '\\S', '\\w', '\\W', '\\D', '[^"]', '[^a]', '[ab1]', '[\\s\\S]', '[\\W1]', '[a-z]', '\\b', '\\n', 'é', '(?:a|b)', '(?:ab|a)'); // prettier-ignore
const quantified = fc
  .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '{2}', '{1,3}'))
  .map(([one, count]) =>
    one === '\\b' ? one : `${one.length > 1 && !/^[\\[(]/.test(one) ? `(?:${one})` : one}${count}`,
  );
const sequence = fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const expression = fc
  .tuple(
    fc.boolean(),
    sequence,
    sequence,
    fc.option(sequence, { nil: '' }),
    fc.constantFrom('', '?', '*'),
    fc.boolean(),
  )
  .map(
    ([start, before, inner, after, count, end]) =>
      `${start ? '^' : ''}${before}(?<x>${inner})(?:(?<y>${after}))${count}${end ? '$' : ''}`,
  );
const flags = fc.constantFrom('', '', 'i', 's');
const line = fc.array(fc.constantFrom(...LETTERS), { maxLength: 12 }).map((letters) => letters.join(''));
const lines = fc.array(line, { minLength: 1, maxLength: 12 });

/** What the plain expressions say, line by line. */
function plain(patterns: readonly { source: string; flags: string }[], text: readonly string[]) {
  let matched = 0;
  const records = text.map((one) => {
    for (const [i, { source, flags: own }] of patterns.entries()) {
      const match = new RegExp(source, own).exec(one);
      if (match === null) continue;
      matched++;
      const fields = Object.fromEntries(
        Object.entries(match.groups ?? {}).filter(([, value]) => value !== undefined),
      );
      return { body: one, fields, pattern: i };
    }
    return { body: one, fields: {}, pattern: -1 };
  });
  return { matched, records };
}

function check(
  patterns: readonly { source: string; flags: string }[],
  text: readonly string[],
  newlineAtEnd: boolean,
) {
  const want = plain(patterns, text);
  const metrics = [
    {
      name: 'n_total',
      type: 'counter',
      help: 'n',
      labels: {
        p: '@pattern',
        x: 'x',
        ...(patterns.some(({ source }) => source.includes('<y>')) ? { y: 'y' } : {}),
      },
    },
  ];
  const pack = {
    dialect: 'javascript', // the plain expression is V8's
    patterns: patterns.map(({ source, flags: own }, i) => ({ name: `p${i}`, pattern: source, flags: own })),
    metrics,
  };
  const input = text.join('\n') + (newlineAtEnd ? '\n' : '');
  const counted = new Map<string, number>();
  for (const { fields, pattern } of want.records) {
    if (pattern < 0) continue;
    const labels = [
      `p="p${pattern}"`,
      ...Object.entries(fields)
        .filter(([, value]) => value !== '')
        .map(([key, value]) => `${key}="${String(value).replaceAll('"', '\\"')}"`),
    ];
    const key = `n_total{${labels.toSorted().join(',')}}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  const expectedMetrics = [...counted]
    .map(([key, n]) => `${key} ${n}`)
    .toSorted()
    .join('\n');
  for (const records of [true, false]) {
    for (const lineByLine of [true, false]) {
      const scanner = packScanner(pack, { records, lineByLine });
      const { counts, consumed } = scanner.scan(input);
      expect(consumed).toBe(Buffer.byteLength(input));
      expect(counts).toMatchObject({
        lines: text.length,
        matched: want.matched,
        unmatched: text.length - want.matched,
        filtered: 0,
      });
      expect(counts.unmatchedBytes).toBe(
        want.records.reduce(
          (sum, { body, pattern }, i) =>
            sum + (pattern < 0 ? Buffer.byteLength(body) + (newlineAtEnd || i < text.length - 1 ? 1 : 0) : 0),
          0,
        ),
      );
      expect(scanner.metrics()).toBe(expectedMetrics);
      if (records)
        expect(scanner.records.map(({ body, fields }) => ({ body, fields }))).toEqual(
          want.records.map(({ body, fields }) => ({ body, fields })),
        );
    }
  }
}

const one = fc.record({ source: expression, flags });

describe('walking a whole chunk', () => {
  it('means what the plain expression means on each line', () => {
    fc.assert(
      fc.property(one, lines, fc.boolean(), (pattern, text, newline) => {
        fc.pre(newline || text.at(-1) !== '');
        check([pattern], text, newline);
      }),
      { numRuns: 150 },
    );
  });

  it('means the same where a pattern asks for characters that no line of ASCII has', () => {
    for (const other of ['é*', 'é+', 'é?', '\\n*', '[→\\n]+', '\\0{0,3}', '(?:é|→)*', '[^\\0-\\x7f]*'])
      for (const source of [`^a${other}(?<x>b*)`, `^a(?<x>${other})b`, `^a(?<x>[^c]*)${other}c`])
        check([{ source, flags: '' }], ['ab', 'a', 'aéb', 'abc', 'abéc', 'b', 'ab'], true);
  });

  it('means the same with several patterns, the first that matches winning', () => {
    const header = fc.constantFrom(
      '^(?<t>\\d+) ',
      '^\\S+ ',
      '^(?:a|b)*: ',
      '^\\w+(?:\\[(?:\\d+)\\])?: ',
      '^',
      '',
    );
    const word = fc.constantFrom('aa', 'ab', 'ba', 'bb', '11', '1: ');
    const many = fc
      .tuple(header, fc.array(fc.tuple(word, sequence), { minLength: 2, maxLength: 5 }))
      .map(([head, rest]) =>
        rest.map(([begin, tail]) => ({
          source: `${head.replace('(?<t>', '(?:')}${begin}(?<x>${tail})`,
          flags: '',
        })),
      );
    const near = fc
      .tuple(fc.constantFrom('12 ', '1 ', 'aa: ', 'b[1]: ', 'a: ', ''), word, line)
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        many,
        fc.array(near, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (patterns, text, newline) => {
          fc.pre(newline || text.at(-1) !== '');
          check(patterns, text, newline);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives what going line by line gives where lines end in CR LF, all or some', () => {
    const packs = [
      {
        patterns: [
          { name: 'a', pattern: '^a(?<x>.*)$' },
          { name: 'b', pattern: '^(?<x>\\S+) b' },
        ],
      },
      { pattern: '(?<x>[^a]+)1$', steps: [{ drop: { name: 'short', when: { x: 'b' } } }] },
      { format: 'logfmt' },
      {
        patterns: [{ name: 'any', pattern: '(?<x>\\s+)$' }],
        steps: [{ mask: { field: 'x', what: ['ip'] } }],
      },
    ];
    const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r\r\n', '\r');
    const text = fc.oneof(
      lines.map((all) => all.map((each) => `${each}\r\n`).join('')),
      fc.array(fc.tuple(line, end), { maxLength: 8 }).map((all) => all.flat().join('')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...packs), text, fc.boolean(), (pack, input, records) => {
        const fast = packScanner(pack, { records });
        const slow = packScanner(pack, { records, lineByLine: true });
        expect(fast.scan(input)).toEqual(slow.scan(input));
        expect(fast.records).toEqual(slow.records);
        expect(fast.metrics()).toBe(slow.metrics());
      }),
      { numRuns: 400 },
    );
  });

  it('goes over a chunk of CR LF lines as a whole', () => {
    expect(decodeChunk(Buffer.from('a\r\né\r\n'), false)).toEqual({
      text: 'a\né\n',
      ascii: false,
      crlf: true,
    });
    for (const odd of ['a\r\nb\n', 'a\nb\r\n', 'a\r\r\n', 'a\rb\r\n', 'a\r\nb'])
      expect(decodeChunk(Buffer.from(odd), false)).toBeUndefined();
  });

  it('gives what going line by line gives for CRLF, NUL, invalid UTF-8 and odd line ends', () => {
    const inputs = [
      'a 1\r\nb 2\r\n',
      'a 1\rb\nb 2\n',
      'a\u2028b 1\nb 2\n',
      Buffer.from([0x61, 0x20, 0xff, 0x31, 0x0a]),
      'a \0 1\n',
    ];
    for (const input of inputs) {
      const pack = { pattern: '^(?<k>.) (?<v>.*)$' };
      const fast = packScanner(pack);
      const slow = packScanner(pack, { lineByLine: true });
      expect(fast.scan(input)).toEqual(slow.scan(input));
      expect(fast.records).toEqual(slow.records);
    }
  });
});
