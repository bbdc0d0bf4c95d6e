import { describe, expect, it } from 'vitest';
import { packScanner } from './scan-text.ts';

function events(multiline: object, text: string, flush = true) {
  const scanner = packScanner({ pattern: '^(?<first>[^\\n]*)', multiline });
  const fragment = scanner.scan(text, { flush });
  return { bodies: scanner.records.map(({ body }) => body), fragment };
}

const trace: Record<string, string[]> = {
  java: [
    'java.lang.IllegalStateException: boom',
    '\tat a.B.c(B.java:3)',
    '\t... 3 more',
    'Caused by: java.io.IOException: x',
    '\tat a.B.d(B.java:4)',
  ],
  python: [
    'ERROR it broke',
    'Traceback (most recent call last):',
    '  File "a.py", line 3, in f',
    '    g()',
    'ValueError: bad',
  ],
  go: [
    'panic: boom',
    '',
    'goroutine 1 [running]:',
    'main.main()',
    '\t/src/main.go:12 +0x1d',
    'exit status 2',
  ],
  node: ['Error: boom', '    at run (/app/x.js:3:9)', '    at main (/app/x.js:9:1)'],
  ruby: ["app.rb:3:in `f': boom (RuntimeError)", "\tfrom app.rb:9:in `<main>'"],
  php: [
    'PHP Fatal error:  Uncaught Exception: boom in /a.php:3',
    'Stack trace:',
    '#0 /a.php(9): f()',
    '#1 {main}',
    '  thrown in /a.php on line 3',
  ],
};

describe('multiline', () => {
  it('begins an event at a start pattern', () => {
    expect(events({ start: '^\\d' }, '1 a\n b\nc\n2 d\n').bodies).toEqual(['1 a\n b\nc', '2 d']);
  });

  it('continues one at a continuation pattern or an indentation', () => {
    expect(events({ continuation: '^\\+' }, 'a\n+b\nc\n').bodies).toEqual(['a\n+b', 'c']);
    expect(events({ indent: true }, 'a\n b\n\tc\nd\n').bodies).toEqual(['a\n b\n\tc', 'd']);
  });

  it.each(Object.entries(trace))('keeps a stack trace of %s together', (language, lines) => {
    const text = ['before', ...lines, 'after', ''].join('\n');
    const { bodies } = events({ stacktrace: [language] }, text);
    expect(bodies.at(-1)).toBe('after');
    expect(bodies.at(-2)!.endsWith(lines.at(-1)!)).toBe(true);
    expect(bodies.length).toBeLessThanOrEqual(3);
  });

  it('leaves the last event for the next time, unless nothing follows', () => {
    const open = events({ indent: true }, 'a\n b\nc\n d\n', false);
    expect(open.bodies).toEqual(['a\n b']);
    expect(open.fragment.consumed).toBe(5);
    expect(open.fragment.counts).toMatchObject({ lines: 2, matched: 2, events: 1, bytes: 5 });
    expect(events({ indent: true }, 'c\n d\n', true).bodies).toEqual(['c\n d']);
  });

  it('closes an event at its limit of lines', () => {
    expect(events({ indent: true, max_lines: 2 }, 'a\n b\n c\n d\n').bodies).toEqual(['a\n b', ' c\n d']);
  });
});
