import { expect, test } from 'vitest';
import { bodyText, headerText, variableText } from '../../../src/hooks/receivers/clean-text.ts';
import { fc } from '../../fuzz.ts';

test('whatever a label holds, it fits and has nothing that would end or break it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.integer({ min: 8, max: 100 }),
      (text, most) => {
        const variable = variableText(text, most);
        expect(Buffer.byteLength(variable)).toBeLessThanOrEqual(most);
        expect(variable).not.toContain('\0');
        const header = headerText(text, most);
        expect(Buffer.byteLength(header)).toBeLessThanOrEqual(most);
        expect(header).not.toMatch(/[\p{Cc}\r\n]/u);
      },
    ),
  );
});

test('what fits is left as it is, what was cut shows, and no character is cut in two', () => {
  expect(variableText('a\nb\tc', 100)).toBe('a\nb\tc');
  expect(variableText('ééééé', 9)).toBe('ééé…');
  expect(variableText('x'.repeat(200_000), 4096)).toHaveLength(4094);
  expect(headerText(' a\r\n\u0000b ', 100)).toBe('a b');
  expect(bodyText('a\n\tb\u0000\u001b[2Jc\r\n')).toBe('a\n\tb[2Jc\r\n');
});
