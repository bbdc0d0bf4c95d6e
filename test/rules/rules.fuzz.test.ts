import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { expandAlertTemplate, parseAlertTemplate } from '../../src/rules/alert-template.ts';
import { builtInRules } from '../../src/rules/built-in-rules.ts';
import { formatFloat } from '../../src/template/go-float.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { decodeRuleState } from '../../src/rules/persisted-rule-state.ts';
import { readRuleTestFile } from '../../src/rules/rule-test-file.ts';
import { parseMetric, parseSeriesValues } from '../../src/rules/series-notation.ts';
import { TemplateError } from '../../src/template/template-value.ts';

const PIECES = [
  '{{',
  '}}',
  '{{-',
  '-}}',
  ' ',
  '$labels',
  '$value',
  '$x',
  ':=',
  '=',
  '.',
  '.a',
  '|',
  '(',
  ')',
  ',',
  '"s"',
  '`r`',
  "'c'",
  '1',
  '2.5',
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  'break',
  'continue',
  'printf',
  '"%v %d"',
  'query',
  '"up"',
  'first',
  'value',
  'humanize',
  'args',
  'index',
  'len',
  'eq',
  'and',
  'or',
  'not',
  'true',
  'nil',
  'text',
  '/*',
  '*/',
  '\n',
  'tmpl',
  'title',
  'reReplaceAll',
];

describe('hostile templates', () => {
  it('are either refused with a TemplateError or give a bounded text', async () => {
    const texts = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...PIECES) }, fc.string()), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(texts, async (pieces) => {
        const text = pieces.join('');
        let template;
        try {
          template = parseAlertTemplate(text, 'Fuzz');
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
          return;
        }
        const expanded = await expandAlertTemplate(
          template,
          { labels: { a: 'b' }, value: 1.5, externalLabels: {}, externalUrl: '', nowMs: 0 },
          () => Promise.resolve([{ labels: { a: 'b' }, value: 2 }]),
        );
        expect(expanded.length).toBeLessThan(70_000);
      }),
      { numRuns: 1500 },
    );
  });

  it('of well-formed actions end within their bounds', async () => {
    const operand = fc.constantFrom(
      '$value',
      '$labels',
      '.Labels',
      '1',
      '"x"',
      '(query "m")',
      '(printf "%500v" 1)',
      '$labels.a',
    );
    const call = fc.tuple(
      fc.constantFrom(
        'print',
        'len',
        'humanize',
        'toUpper',
        'first',
        'index',
        'args',
        'reReplaceAll "" "yy"',
      ),
      operand,
    );
    const loops = fc.array(fc.tuple(operand, call), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(loops, async (parts) => {
        const open = parts.map(([over]) => `{{ range ${over} }}`).join('');
        const inner = parts.map(([, [name, argument]]) => `{{ ${name} ${argument} }}`).join('');
        const template = parseAlertTemplate(open + inner + '{{ end }}'.repeat(parts.length), 'Fuzz');
        const labels = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`l${at}`, 'v'.repeat(100)]));
        const expanded = await expandAlertTemplate(
          template,
          { labels, value: 1, externalLabels: {}, externalUrl: '', nowMs: 0 },
          () => Promise.resolve(Array.from({ length: 50 }, () => ({ labels, value: 1 }))),
        );
        expect(expanded.length).toBeLessThan(70_000);
      }),
      { numRuns: 100 },
    );
  });

  it('end within their bounds where the error would quote a large value', async () => {
    const labels = { a: 'v'.repeat(2000) };
    const expanded = await expandAlertTemplate(
      parseAlertTemplate('{{ humanize (query "m") }}', 'Fuzz'),
      { labels, value: 1, externalLabels: {}, externalUrl: '', nowMs: 0 },
      () => Promise.resolve(Array.from({ length: 50 }, () => ({ labels, value: 1 }))),
    );
    expect(expanded).toContain("can't convert [{map[a:vvv");
    expect(expanded.length).toBeLessThan(3000);
  });
});

describe('hostile files', () => {
  const base = builtInRules('agent');

  it('that are damaged rule files never make the loader throw, and problems have places', () => {
    const edit = fc.tuple(
      fc.nat(base.length),
      fc.nat(30),
      fc.oneof(fc.string(), fc.constantFrom(...Array.from('[]{}:-"\'|>&*!%#?\n\t'), '<<: *a', '!!binary x')),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = base;
        for (const [at, length, inserted] of edits)
          text = text.slice(0, at) + inserted + text.slice(at + length);
        for (const { line, column } of loadRuleFile(text, { file: 'f' }).problems) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of any shape never make a loader throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ groups: [value], tests: [value] })),
        ),
        (text) => {
          loadRuleFile(text, { file: 'f' });
          readRuleTestFile(text, { file: 'f' });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of aliases that multiply are refused or read in bounded time', () => {
    const layers = Array.from(
      { length: 12 },
      (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(10)}]`,
    );
    const { groups, problems } = loadRuleFile(`a0: &a0 [x]\n${layers.join('\n')}\ngroups: *a12\n`, {
      file: 'f',
    });
    expect(groups).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
  });

  it('of saved state are refused with an Error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => decodeRuleState(text)).toThrow(Error);
      }),
    );
  });

  it('of series notation are refused with an Error or read', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .array(
              fc.constantFrom(
                '1',
                '+',
                '-',
                'x',
                '_',
                '9',
                'stale',
                ' ',
                '0',
                '.',
                'e',
                '{',
                '}',
                'a="b"',
                ',',
                'm',
              ),
            )
            .map((parts) => parts.join('')),
        ),
        (text) => {
          for (const read of [parseSeriesValues, parseMetric]) {
            try {
              read(text);
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('numbers', () => {
  it('printed with the shortest digits read back as the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (const verb of ['e', 'f', 'g'] as const) expect(Number(formatFloat(value, verb, -1))).toBe(value);
      }),
    );
  });

  it('printed with 17 digits read back as the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(formatFloat(value, 'g', 17))).toBe(value);
        expect(Number(formatFloat(value, 'e', 16))).toBe(value);
      }),
    );
  });
});
