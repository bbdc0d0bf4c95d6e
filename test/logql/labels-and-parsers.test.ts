import { describe, expect, test } from 'vitest';
import { instant, labelsFound, logs, MAIL, refusal, texts } from './memory-lines.ts';
import { parseLogql } from '../../src/logql/parse-query.ts';

describe('who owns a name', () => {
  test('S10: the stream before metadata before what is parsed', async () => {
    expect(await labelsFound('{host="m1"} | json', '{"host":"x"}')).toEqual({ host_extracted: 'x' });
    expect(await labelsFound('{host="m1"}', { text: 'a', metadata: { host: 'meta' } })).toEqual({
      host_extracted: 'meta',
    });
    const both = { text: '{"host":"parsed"}', metadata: { host: 'meta' } };
    expect(await labelsFound('{host="m1"} | json', both)).toEqual({ host_extracted: 'parsed' });
    const metadata = { text: 'trace_id=parsed', metadata: { trace_id: 'meta' } };
    expect(await labelsFound('{host="m1"} | logfmt', metadata)).toEqual({
      trace_id: 'meta',
      trace_id_extracted: 'parsed',
    });
  });

  test('S11: label_format alone overwrites', async () => {
    expect(await labelsFound('{host="m1"} | label_format host="h"', 'a')).toEqual({ host: 'h' });
  });

  test('S12: the first value stays', async () => {
    expect(await labelsFound('{host="m1"} | json', '{"a":"1","a":"2"}')).toEqual({ a: '1' });
    expect(await labelsFound('{host="m1"} | regexp "(?P<a>x)" | logfmt', 'a=x')).toEqual({ a: 'x' });
  });

  test('S13: names are made of letters, digits and _', async () => {
    expect(await labelsFound('{host="m1"} | json', '{"a-b.c":"1","9x":"2"," lead ":"3","ü":"4"}')).toEqual({
      a_b_c: '1',
      _9x: '2',
      lead: '3',
      _: '4',
    });
  });

  test('S14: what is no text becomes a blank', async () => {
    expect(await labelsFound('{host="m1"} | json', '{"a":"x\ufffdy"}')).toEqual({ a: 'x y' });
    expect(await labelsFound('{host="m1"} | logfmt a', 'a=x\ufffdy')).toEqual({ a: '' });
  });

  test('S15: a later parser overwrites an error, a condition does not', async () => {
    const parsers = await labelsFound('{host="m1"} | json | logfmt --strict', '{"a":');
    expect(parsers['__error__']).toBe('LogfmtParserErr');
    const condition = await labelsFound('{host="m1"} | json | a > 1', '{"a":"x","b":');
    expect(condition['__error__']).toBe('JSONParserErr');
  });

  test('S16: a broken line stays, unless it is filtered behind the stage', async () => {
    const lines = ['{"a":"1"}', 'broken'];
    expect(await texts('{host="m1"} | json', lines)).toEqual(lines);
    expect(await texts('{host="m1"} | json | __error__=""', lines)).toEqual(['{"a":"1"}']);
    expect(await texts('{host="m1"} | __error__="" | json', lines)).toEqual(lines);
    expect(await labelsFound('{host="m1"} | json | drop __error__, __error_details__', 'broken')).toEqual({});
  });

  test('S23: metadata is there without a parser', async () => {
    expect(
      await texts('{host="m1"} | trace_id="4bf9"', [{ text: 'a', metadata: { trace_id: '4bf9' } }, 'b']),
    ).toEqual(['a']);
  });
});

describe('json', () => {
  test('S26: objects are flattened, numbers keep their text, null and lists are passed over', async () => {
    const line =
      '{"a":{"b":{"c":"deep"}},"n":1.0,"big":12345678901234567890,"t":true,"nul":null,"list":[1],"e":"","":"blank"}';
    expect(await labelsFound('{host="m1"} | json', line)).toEqual({
      a_b_c: 'deep',
      n: '1.0',
      big: '12345678901234567890',
      t: 'true',
      e: '',
    });
  });

  test('S26: a line that is no object is broken; what follows the closing brace does not matter', async () => {
    expect(await labelsFound('{host="m1"} | json', '["a"]')).toHaveProperty('__error__', 'JSONParserErr');
    expect(await labelsFound('{host="m1"} | json', '{"a":"1"} more')).toEqual({ a: '1' });
  });

  test('S27: a clash of a nested name renames the whole', async () => {
    const stream = { ...MAIL, a_b: 'stream' };
    expect(await labelsFound('{host="m1"} | json', { text: '{"a":{"b":"1"}}', stream })).toEqual({
      a_b_extracted: '1',
    });
  });

  test('S28: paths', async () => {
    const line = '{"q":{"name":"in","list":[10,{"deep":"yes"}]},"tags":["t0"],"a.b":"dotted","nul":null}';
    const query =
      '{host="m1"} | json q="q.name", l="q.list[1].deep", t="tags[0]", x="[\\"a.b\\"]", none="nul", o="q.list"';
    expect(await labelsFound(query, line)).toEqual({
      q: 'in',
      l: 'yes',
      t: 't0',
      x: 'dotted',
      none: '',
      o: '[10,{"deep":"yes"}]',
    });
    expect(await labelsFound('{host="m1"} | json q="q"', 'text')).toEqual({ __error__: 'JSONParserErr' });
    expect(await labelsFound('{host="m1"} | json q="q"', '')).toEqual({});
  });
});

describe('other parsers', () => {
  test('S29: logfmt passes over what is wrong', async () => {
    expect(await labelsFound('{host="m1"} | logfmt', 'ok=1 b="x')).toEqual({ ok: '1' });
    expect(await labelsFound('{host="m1"} | logfmt', 'url=/a?x=1 z=2')).toEqual({ z: '2' });
    expect(await labelsFound('{host="m1"} | logfmt', 'bare e= z="a \\"b\\""')).toEqual({ z: 'a "b"' });
    expect(await labelsFound('{host="m1"} | logfmt --keep-empty', 'bare e=')).toEqual({ bare: '', e: '' });
    expect(await labelsFound('{host="m1"} | logfmt a, b="c", none', 'a=1 c=2')).toEqual({
      a: '1',
      b: '2',
      none: '',
    });
    expect(await labelsFound('{host="m1"} | logfmt --strict', 'ok=1 b="x')).toMatchObject({
      ok: '1',
      __error__: 'LogfmtParserErr',
    });
    expect(await refusal(() => parseLogql('{host="m1"} | logfmt x="a-b.c"'))).toContain(
      'not the name of a field',
    );
  });

  test('S30: regexp takes the first match; a group that took no part is empty', async () => {
    expect(await labelsFound('{host="m1"} | regexp "(?P<a>\\\\w+)=(?P<b>x)?"', 'k=v m=w')).toEqual({
      a: 'k',
      b: '',
    });
    expect(await labelsFound('{host="m1"} | regexp "(?P<a>z)"', 'k=v')).toEqual({});
  });

  test('S31: pattern is anchored, and the last capture takes the rest', async () => {
    expect(await labelsFound('{host="m1"} | pattern "<a> <_> <b>"', 'x y z w')).toEqual({ a: 'x', b: 'z w' });
    expect(await labelsFound('{host="m1"} | pattern "GET <a>"', 'x GET y')).toEqual({});
    expect(await labelsFound('{host="m1"} | pattern "<a>#<b>"', 'x y')).toEqual({ a: 'x y' });
  });

  test('S32: unpack gives the text values, and the entry becomes the line', async () => {
    const line = '{"_entry":"level=error","pod":"p1","n":5}';
    expect(await logs('{host="m1"} | unpack | logfmt', [line])).toEqual({
      'host=m1, level=error, pod=p1, service_name=mail': ['level=error'],
    });
    expect(await labelsFound('{host="m1"} | unpack', '{"pod":"p1"}')).toEqual({});
    expect(await labelsFound('{host="m1"} | unpack', 'text')).toHaveProperty('__error__', 'JSONParserErr');
  });
});

describe('broken lines in queries for samples', () => {
  const lines = ['{"level":"error"}', 'broken'];

  test('S17: one of them stops the query, and it is shown', async () => {
    const why = await refusal(() =>
      instant('sum by (level) (count_over_time({host="m1"} | json [1h]))', lines),
    );
    expect(why).toMatch(/^pipeline error: JSONParserErr .*broken/);
    expect(why).toContain('| __error__=""');
    expect(
      await instant('sum by (level) (count_over_time({host="m1"} | json | __error__="" [1h]))', lines),
    ).toEqual({
      'level=error': '1',
    });
    expect(await instant('sum by (__error__) (count_over_time({host="m1"} | json [1h]))', lines)).toEqual({
      '': '1',
      '__error__=JSONParserErr': '1',
    });
  });

  test('S17: a condition that cannot convert stops it even where errors are counted', async () => {
    const query = 'sum by (__error__) (count_over_time({host="m1"} | logfmt | n > 1 [1h]))';
    expect(await refusal(() => instant(query, ['n=x']))).toContain('LabelFilterErr');
  });

  test('S18: a parser of which nobody wants anything does not run', async () => {
    expect(await instant('sum(count_over_time({host="m1"} | json [1h]))', lines)).toEqual({ '': '2' });
    const early = ['{"good":"1","bad":nope}'];
    expect(await instant('sum by (good) (count_over_time({host="m1"} | json [1h]))', early)).toEqual({
      'good=1': '1',
    });
  });

  test('S25: by with a name that lines have not leaves the label out; an empty one stays', async () => {
    expect(await instant('sum by (nope) (count_over_time({host="m1"}[1h]))', ['a'])).toEqual({ '': '1' });
    expect(
      await instant('sum by (b) (count_over_time({host="m1"} | logfmt --keep-empty [1h]))', ['b= c=1']),
    ).toEqual({ 'b=': '1' });
  });
});
