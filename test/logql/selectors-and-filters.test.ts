import { describe, expect, test } from 'vitest';
import { parseLogql } from '../../src/logql/parse-query.ts';
import { labelsFound, logs, MAIL, refusal, texts } from './memory-lines.ts';

const M2 = { service_name: 'mail', host: 'm2', zone: 'x' };
const TWO = [{ text: 'one' }, { text: 'two', stream: M2 }];

describe('selectors', () => {
  test.each(['{host=~".*"}', '{host!="m1"}', '{host=""}', '{host=~"m1|"}', '{}'])(
    'S1: %s takes every stream and is refused',
    async (query) => {
      expect(await refusal(() => parseLogql(query))).toMatch(/^parse error : .*every stream/);
    },
  );

  test.each(['{host!=""}', '{host=~".+"}'])('S1: %s is taken', (query) => {
    expect(parseLogql(query).kind).toBe('log');
  });

  test('S2: a label that a stream has not is empty', async () => {
    expect(await texts('{service_name="mail", zone=""}', TWO)).toEqual(['one']);
    expect(await texts('{service_name="mail", zone!="x"}', TWO)).toEqual(['one']);
  });

  test('S3: a regular expression must match the whole value', async () => {
    expect(await texts('{host=~"m"}', TWO)).toEqual([]);
    expect(await texts('{host=~"m."}', TWO)).toEqual(['one', 'two']);
    expect(await texts('{host=~"M1"}', TWO)).toEqual([]);
    expect(await texts('{host=~"(?i)M1"}', TWO)).toEqual(['one']);
  });

  test('S4: a selector sees labels of the stream alone, a condition sees metadata', async () => {
    const line = { text: 'x', metadata: { status: '503' } };
    expect(await texts('{status="503"}', [line])).toEqual([]);
    expect(await texts('{host="m1"} | status="503"', [line])).toEqual(['x']);
  });
});

describe('line filters', () => {
  test('S5: a pattern is found anywhere, and its dot is no newline', async () => {
    const lines = ['x queue y', 'que\ne'];
    expect(await texts('{host="m1"} |~ "que.e"', lines)).toEqual(['x queue y']);
    expect(await texts('{host="m1"} |~ "(?s)que.e"', lines)).toEqual(lines);
  });

  test('S6: an empty text is in every line, and case counts', async () => {
    expect(await texts('{host="m1"} |= ""', ['a', 'Queue'])).toEqual(['a', 'Queue']);
    expect(await texts('{host="m1"} != ""', ['a'])).toEqual([]);
    expect(await texts('{host="m1"} |= "queue"', ['Queue'])).toEqual([]);
    expect(await texts('{host="m1"} |~ "(?i)queue"', ['Queue'])).toEqual(['Queue']);
  });

  test('S7: filters in a row are and, or takes the operator of its head', async () => {
    const lines = ['a', 'b', 'ab', 'c'];
    expect(await texts('{host="m1"} |= "a" |= "b"', lines)).toEqual(['ab']);
    expect(await texts('{host="m1"} |= "a" or "b"', lines)).toEqual(['a', 'b', 'ab']);
    expect(await texts('{host="m1"} != "a" or "b"', lines)).toEqual(['c']);
    expect(await texts('{host="m1"} |= "a" or ""', lines)).toEqual(['a', 'ab']);
  });

  test.each([
    ['QUIT <_> bye', 'QUIT now bye', true],
    ['QUIT <_> bye', 'x QUIT now bye', true],
    ['QUIT <_> bye', 'QUIT bye', false],
    ['QUIT', 'x QUIT', true],
    ['QUIT', 'QUIT now', false],
    ['QUIT <_>', 'QUIT ', false],
    ['', '', true],
    ['', 'x', false],
    ['<_>a<_>', 'abc abc', false],
  ])('S8: |> "%s" of "%s" is %s', async (pattern, line, fits) => {
    expect(await texts(`{host="m1"} |> "${pattern}"`, [line])).toHaveLength(fits ? 1 : 0);
    expect(await texts(`{host="m1"} !> "${pattern}"`, [line])).toHaveLength(fits ? 0 : 1);
  });

  test.each([
    ['10.0.0.0/8', 'two 192.168.0.5 and 10.1.2.3', true],
    ['10.0.0.0/8', '[10.4.4.4]:8080', true],
    ['10.0.0.0/8', 'version 1.2.3', false],
    ['10.0.0.1-10.0.0.3', 'from 10.0.0.3 ok', true],
    ['10.0.0.1-10.0.0.3', 'from 10.0.0.4 ok', false],
    ['2001:db8::/32', 'v6 2001:DB8:0:0:0:0:0:2 up', true],
    ['::1', 'loop ::1 only', true],
  ])('S9: ip("%s") in "%s" is %s', async (pattern, line, found) => {
    expect(await texts(`{host="m1"} |= ip("${pattern}")`, [line])).toHaveLength(found ? 1 : 0);
    expect(await texts(`{host="m1"} != ip("${pattern}")`, [line])).toHaveLength(found ? 0 : 1);
  });
});

describe('label filters', () => {
  test('S19: a number needs the label, a text compares with nothing', async () => {
    expect(await texts('{host="m1"} | nope!="x"', ['a'])).toEqual(['a']);
    expect(await texts('{host="m1"} | nope > 1', ['a'])).toEqual([]);
    expect(await texts('{host="m1"} | nope != ip("10.0.0.1")', ['a'])).toEqual([]);
  });

  test('S20: a value that cannot be converted lets the line go on, with an error', async () => {
    expect(await labelsFound('{host="m1"} | logfmt | size > 1KB', 'size=big')).toMatchObject({
      __error__: 'LabelFilterErr',
    });
    expect(
      await labelsFound('{host="m1"} | logfmt | level="error" or took > 1s', 'level=error took=soon'),
    ).not.toHaveProperty('__error__');
    expect(
      await labelsFound('{host="m1"} | logfmt | level="error" and took > 1s', 'level=error took=soon'),
    ).toHaveProperty('__error__');
  });

  test('S20: of conditions that cannot convert, the first of a stage says why', async () => {
    const found = await labelsFound('{host="m1"} | logfmt | n > 1, took > 1s', 'took=soon n=junk');
    expect(found['__error_details__']).toBe('strconv.ParseFloat: parsing "junk": invalid syntax');
  });

  test.each([
    ['took > 1d', 'took=25h', true],
    ['took > 1s', 'took=1500ms', true],
    ['took = 1.5s', 'took=1500ms', true],
    ['size = 2KB', 'size=2,000', true],
    ['size >= 1KiB', 'size=1024', true],
    ['size < 2B', 'size=1.5B', true],
    ['status=200', 'status=200.0', true],
    ['status="200"', 'status=200.0', false],
    ['n > 1', 'n=1_000', true],
    ['n > 0x10', 'n=17', true],
    ['n <= -3', 'n=-3', true],
    ['id=~"n0"', 'id=n01', false],
    ['id=~"n0."', 'id=n01', true],
  ])('S21: %s of %s is %s', async (condition, line, passes) => {
    expect(await texts(`{host="m1"} | logfmt | ${condition} | __error__=""`, [line])).toHaveLength(
      passes ? 1 : 0,
    );
  });

  test('S21: values have no days, and a number of seconds needs its unit', async () => {
    const found = await labelsFound('{host="m1"} | logfmt | took > 1s', 'took=1d');
    expect(found['__error_details__']).toBe('time: unknown unit "d" in duration "1d"');
  });

  test('S22: an address is looked for inside a value; a number never fits an error', async () => {
    expect(
      await texts('{host="m1"} | logfmt | peer=ip("10.0.0.0/8")', ['peer="at 10.1.1.1:80"']),
    ).toHaveLength(1);
    expect(await texts('{host="m1"} | json | __error__ > 0', ['{'])).toEqual([]);
  });

  test('and binds before or; a comma and a blank are and', async () => {
    const lines = ['a=1', 'b=2 c=3', 'b=2'];
    expect(await texts('{host="m1"} | logfmt | a="1" or b="2", c="3"', lines)).toEqual(['a=1', 'b=2 c=3']);
    expect(await texts('{host="m1"} | logfmt | (a="1" or b="2") c="3"', lines)).toEqual(['b=2 c=3']);
  });
});

test('lines of streams with other labels are told apart', async () => {
  expect(await logs('{service_name="mail"}', TWO)).toEqual({
    'host=m1, service_name=mail': ['one'],
    'host=m2, service_name=mail, zone=x': ['two'],
  });
  expect(MAIL.host).toBe('m1');
});
