import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
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

  it.each([
    'org.jboss.msc.service.StartException in service jboss.undertow.listener.default: Address in use',
    'org.jboss.msc.service.StartException in service jboss.deployment.unit."shop: 1.war".POST_MODULE: x',
    'org.jboss.msc.service.StartException in service jboss.ejb."a b"."c"',
    'org.jboss.msc.service.StartException in anonymous service: boom',
  ])('takes a class with its service for the head of a trace of java: %s', (head) => {
    const text = `before\n${head}\n\tat a.B.c(B.java:3)\nafter\n`;
    expect(events({ stacktrace: ['java'] }, text).bodies).toEqual([
      `before\n${head}\n\tat a.B.c(B.java:3)`,
      'after',
    ]);
  });

  it.each([
    'org.jboss.msc.service.StartException in service shop happened: again',
    'org.jboss.msc.service.StartException in service : no name',
    'org.jboss.msc.service.StartException in service "shop: no end',
    'org.jboss.msc.service.StartException in services shop: x',
    'org.jboss.msc.service.StartException in anonymous services: x',
    'org.jboss.msc.service.StartException in shop: x',
    'the StartException in service shop: x',
  ])('takes no other words behind a class for it: %s', (line) => {
    expect(events({ stacktrace: ['java'] }, `before\n${line}\n`).bodies).toEqual(['before', line]);
  });

  // With more than linear time the test would not end in its time.
  it('reads a hostile name of a service in linear time', () => {
    for (const name of [
      '"'.repeat(200_001),
      '"a" '.repeat(50_000),
      'a'.repeat(200_000),
      '""a'.repeat(60_000),
    ])
      expect(
        events({ stacktrace: ['java'] }, `before\na.StartException in service ${name} x\n`).bodies.length,
      ).toBe(2);
  });

  it('keeps empty lines with an event that goes on after them, and with no other', () => {
    const rule = { start: '^\\d', stacktrace: ['java'], indent: true };
    const { bodies, fragment } = events(
      rule,
      '1 a\n\njava.lang.Error: x\n\tat a.B\n\n\n\tat a.C\n\n2 b\n\nend\n\n\n  c\n',
    );
    expect(bodies).toEqual([
      '1 a\n\njava.lang.Error: x\n\tat a.B\n\n\n\tat a.C',
      '',
      '2 b',
      '',
      'end\n\n\n  c',
    ]);
    expect(fragment.counts).toMatchObject({ lines: 14, events: 5 });
  });

  it('takes empty lines at the end for lines of their own only when nothing more comes', () => {
    const open = events({ indent: true }, 'a\n b\n\n\n', false);
    expect(open.fragment.consumed).toBe(0);
    const { bodies, fragment } = events({ indent: true }, 'a\n b\n\n\n');
    expect(bodies).toEqual(['a\n b', '', '']);
    expect(fragment.consumed).toBe(7);
  });

  it('reads a line again that followed empty ones and counts it once', () => {
    const bytes = Buffer.from('a\n\nb?\n\n c?\n', 'latin1').map((byte) => (byte === 0x3f ? 0xff : byte));
    const scanner = packScanner({ pattern: '^(?<first>[^\\n]*)', multiline: { indent: true } });
    const { counts } = scanner.scan(Buffer.from(bytes));
    expect(scanner.records.map(({ body }) => body)).toEqual(['a', '', 'b\uFFFD\n\n c\uFFFD']);
    expect(counts).toMatchObject({ lines: 5, events: 3, invalid: 2 });
  });

  it('gives the same events however a file is cut into chunks', () => {
    const line = fc.constantFrom('', '', '1 a', ' b', 'Caused by: x', 'c');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (lines, step) => {
        const rule = { start: '^\\d', stacktrace: ['java'], indent: true, max_lines: 6 };
        const text = lines.map((one) => `${one}\n`).join('');
        const scanner = packScanner({ pattern: '^(?<first>[^\\n]*)', multiline: rule });
        let held = '';
        for (let i = 0; i < lines.length; i += step) {
          held += lines
            .slice(i, i + step)
            .map((one) => `${one}\n`)
            .join('');
          held = held.slice(scanner.scan(held, { flush: i + step >= lines.length }).consumed);
        }
        expect(held).toBe('');
        expect(scanner.records.map(({ body }) => body)).toEqual(text === '' ? [] : events(rule, text).bodies);
      }),
      { numRuns: 200 },
    );
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

describe('multiline in what a container runtime wraps', () => {
  const at = (seconds: number): string => `2026-01-15T10:00:${String(seconds).padStart(2, '0')}.5Z`;
  const cri = (seconds: number, stream: string, text: string, tag = 'F'): string =>
    `${at(seconds)} ${stream} ${tag} ${text}`;

  function criEvents(lines: readonly string[], flush = true) {
    const multiline = { stacktrace: ['java'], timeout: '5s' };
    const scanner = packScanner({ format: 'cri', multiline });
    const text = lines.map((line) => `${line}\n`).join('');
    const { consumed, counts } = scanner.scan(text, { flush });
    return { messages: scanner.records.map(({ fields }) => fields['message']), consumed, counts, text };
  }

  it('joins the messages of one stream, whatever the other says between them', () => {
    const { messages, counts, consumed, text } = criEvents([
      cri(1, 'stdout', 'started'),
      cri(1, 'stderr', 'java.lang.Error: boom'),
      cri(1, 'stdout', 'busy'),
      cri(1, 'stderr', '\tat a.B', 'P'),
      cri(1, 'stderr', '.c(B.java:3)'),
      cri(1, 'stdout', 'still busy'),
      cri(1, 'stderr', 'another'),
    ]);
    expect(messages).toEqual([
      'started',
      'java.lang.Error: boom\n\tat a.B.c(B.java:3)',
      'busy',
      'still busy',
      'another',
    ]);
    expect(counts).toMatchObject({ lines: 7, matched: 7, events: 5 });
    expect(consumed).toBe(Buffer.byteLength(text));
  });

  it('keeps empty lines of a stream with an event that goes on after them', () => {
    const { messages, counts } = criEvents([
      cri(1, 'stderr', 'java.lang.Error: boom'),
      cri(1, 'stderr', ''),
      cri(1, 'stdout', 'busy'),
      cri(1, 'stderr', '\tat a.B.c(B.java:3)'),
      cri(1, 'stderr', ''),
      cri(1, 'stderr', 'another'),
      cri(1, 'stderr', ''),
    ]);
    expect(messages).toEqual(['java.lang.Error: boom\n\n\tat a.B.c(B.java:3)', 'busy', '', 'another', '']);
    expect(counts).toMatchObject({ lines: 7, matched: 7, events: 5 });
  });

  it('lets out what nothing is missing of, up to a line', () => {
    const lines = [
      cri(1, 'stdout', 'one'),
      cri(1, 'stdout', 'two'),
      cri(1, 'stderr', 'java.lang.Error: boom'),
      cri(1, 'stdout', 'three'),
      cri(1, 'stdout', 'four'),
    ];
    const { messages, consumed } = criEvents(lines, false);
    expect(messages).toEqual(['one', 'two']);
    expect(consumed).toBe(Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`));
  });

  it('does not wait for a stream that has been quiet for the timeout', () => {
    const lines = [
      cri(1, 'stderr', 'java.lang.Error: boom'),
      cri(2, 'stdout', 'one'),
      cri(8, 'stdout', 'two'),
    ];
    expect(criEvents(lines, false).messages).toEqual(['java.lang.Error: boom', 'one']);
  });

  it("joins a field of JSON lines, as Docker's", () => {
    const docker = (log: string, stream = 'stderr'): string =>
      JSON.stringify({ log: `${log}\n`, stream, time: at(1) });
    const scanner = packScanner({
      format: 'json',
      multiline: { field: 'log', stacktrace: ['java'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a mapping, never a function
      then: { field: 'log', pattern: '^(?<error>\\S+): (?<rest>[\\s\\S]*)$' },
    });
    const text = [
      docker('java.lang.Error: boom'),
      docker('x: y', 'stdout'),
      docker('\tat a.B.c(B.java:3)'),
      '{',
    ]
      .map((line) => `${line}\n`)
      .join('');
    const { counts } = scanner.scan(text);
    expect(scanner.records.slice(0, 2).map(({ fields }) => fields['rest'])).toEqual([
      'boom\n\tat a.B.c(B.java:3)',
      'y',
    ]);
    expect(counts).toMatchObject({ lines: 4, matched: 3, unmatched: 1, events: 3 });
  });

  it('gives every line once, however a file is cut into chunks', () => {
    const parts = fc.record({
      stream: fc.constantFrom('stdout', 'stderr'),
      text: fc.constantFrom('a', '\tat a.B.c(B.java:3)', 'java.lang.Error: x', 'b', ''),
      tag: fc.constantFrom('F', 'F', 'F', 'P'),
      step: fc.constantFrom(0, 0, 0, 1, 7),
    });
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (all, linesPerChunk) => {
          let seconds = 0;
          const lines = all.map(({ stream, text, tag, step }) => `${cri((seconds = Math.min(59, seconds + step)), stream, text, tag)}\n`); // prettier-ignore
          const scanner = packScanner({ format: 'cri', multiline: { stacktrace: ['java'], timeout: '5s' } });
          const counted = { lines: 0, bytes: 0 };
          let held = '';
          for (let i = 0; i < lines.length; i += linesPerChunk) {
            const last = i + linesPerChunk >= lines.length;
            const text = held + lines.slice(i, i + linesPerChunk).join('');
            const { consumed, counts } = scanner.scan(text, { flush: last });
            counted.lines += counts.lines;
            counted.bytes += counts.bytes;
            expect(counts.bytes).toBe(consumed);
            held = text.slice(consumed);
            expect(consumed === 0 || text[consumed - 1] === '\n').toBe(true);
          }
          expect(held).toBe('');
          expect(counted).toEqual({ lines: lines.length, bytes: Buffer.byteLength(lines.join('')) });
          const shipped = scanner.records.map(({ fields }) => String(fields['message']).replaceAll('\n', ''));
          expect(shipped.join('').length).toBe(all.map(({ text }) => text).join('').length);
        },
      ),
      { numRuns: 200 },
    );
  });
});
