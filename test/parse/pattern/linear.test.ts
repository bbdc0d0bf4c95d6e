import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLinear } from '../../../src/parse/pattern/linear.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { compileMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';
import { GROK_DEFINITIONS } from '../../../src/parse/pattern/grok-definitions.ts';

const of = (pattern: string, flags = '') => parsePattern({ name: 'p', pattern, flags }, {});

describe('which engine runs a pattern', () => {
  it.each(['^(a+)+$', '(?<x>\\S+) \\[(?<y>[^\\]]+)\\]', 'a{1,16}', '(a|aa)+$', 'x*?y\\b'])(
    'V8 as it is: %s',
    (source) => {
      expect(isLinear(source, '')).toBe(true);
      expect(compileMatcher(of(source)).engine).toBe('v8');
    },
  );

  it('V8 with the flag i and large counts written out', () => {
    expect(isLinear('error', 'i')).toBe(false);
    const ignoring = compileMatcher(of('^(?<level>error|warn) ', 'i'));
    expect(ignoring.engine).toBe('v8');
    expect(ignoring.match('ERRor x')?.[1]).toBe('ERRor');
    const counted = compileMatcher(of('^(?<id>[0-9a-f]{40}) (?:\\d{1,20})$'));
    expect(counted.engine).toBe('v8');
    expect(counted.match(`${'a'.repeat(40)} 12345678901234567890`)).not.toBeNull();
    expect(counted.match(`${'a'.repeat(40)} 123456789012345678901`)).toBeNull();
    expect(counted.match(`${'a'.repeat(39)} 1`)).toBeNull();
  });

  it('re2js where groups stand under large counts', () => {
    const matcher = compileMatcher(of('^(?:(?<a>x)y){2,40}$'));
    expect(matcher.engine).toBe('re2js');
    expect(matcher.match('xyxyxy')?.[1]).toBe('x');
    expect(matcher.match('xy')).toBeNull();
  });

  it.each([
    ['(?=x)y', /lookahead/],
    ['(?<a>.)\\k<a>', /back-reference/],
  ])('none: %s is refused with the reason', (source, reason) => {
    expect(() => compileMatcher(of(source))).toThrow(reason);
    expect(compileMatcher(of(source), true).engine).toBe('v8');
  });

  it('looking behind only where this V8 does that in linear time', () => {
    const pattern = of('(?<!x)y');
    if (isLinear(pattern.source, '')) expect(compileMatcher(pattern).engine).toBe('v8');
    else expect(() => compileMatcher(pattern)).toThrow(/lookbehind/);
  });

  it('every grok definition can be run by V8', () => {
    const slow = Object.keys(GROK_DEFINITIONS).filter((name) => {
      const pattern = parsePattern({ name, grok: `%{${name}}` }, {});
      return compileMatcher(pattern).engine !== 'v8';
    });
    expect(slow).toEqual([]);
  });

  it('every expression in our own code that meets lines can be run by V8', () => {
    const files = [
      'step/mask-step.ts',
      'trace/stack-trace.ts',
      'trace/go-trace.ts',
      'trace/node-trace.ts',
      'trace/python-trace.ts',
      'trace/rust-trace.ts',
      'format/syslog-parser.ts',
      'format/cri-parser.ts',
      'format/pair-parser.ts',
      'unit-conversion.ts',
      'step/route-step.ts',
    ];
    const slow: string[] = [];
    for (const file of files) {
      const text = readFileSync(join(import.meta.dirname, '../../../src/parse', file), 'utf8');
      for (const [, source, flags] of text.matchAll(
        /(?<![\w)/*] ?)\/(?![/*])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuy]*)(?=[,.;)\s])/g,
      )) {
        if (!isLinear(source!, flags!)) slow.push(`${file}: /${source}/${flags}`);
      }
    }
    expect(slow).toEqual([]);
  });
});
