/* oxlint-disable unicorn/no-thenable -- packs have a key of that name; it is never a function */
import { describe, expect, it } from 'vitest';
import { packScanner } from './scan-text.ts';

function fieldsOf(pack: object, text: string) {
  const scanner = packScanner(pack);
  const { counts } = scanner.scan(text);
  return { fields: scanner.records.map(({ fields }) => fields), counts };
}

describe('formats', () => {
  it('json keeps types, flattens objects and keeps arrays as text', () => {
    expect(
      fieldsOf({ format: 'json' }, '{"a":1,"b":{"c":"x","d":{"e":true}},"f":[1,2],"g":null}\n[1]\n{"a":\n')
        .fields,
    ).toEqual([{ a: 1, 'b.c': 'x', 'b.d.e': true, f: '[1,2]' }, {}, {}]);
  });

  it('json gives metrics the same with all fields kept and with only the wanted ones', () => {
    const metrics = [
      { name: 'x_total', type: 'counter', help: 'x', labels: { a: 'a.b', c: 'c', d: 'd', p: '__proto__' } },
    ];
    const text =
      '{"a":{"b":"1"},"c":[1]}\n{"a.b":"2","a":{"b":"3"}}\n{"a":{"b":{"x":1}},"d":{"e":1},"c":null}\n{"a":"no","toString":1}\n{"constructor":2,"c":false}\n';
    const all = packScanner({ format: 'json', metrics }, { records: true });
    const few = packScanner({ format: 'json', metrics }, { records: false });
    all.scan(text);
    few.scan(text);
    expect(few.metrics()).toBe(all.metrics());
  });

  it('json takes the events out of an array', () => {
    const { fields, counts } = fieldsOf(
      { format: 'json', records_at: 'Records' },
      '{"Records":[{"eventName":"GetObject"},{"eventName":"PutObject"}]}\n{"Records":[]}\n',
    );
    expect(fields).toEqual([{ eventName: 'GetObject' }, { eventName: 'PutObject' }, {}]);
    expect(counts).toMatchObject({ lines: 2, matched: 1, unmatched: 1, events: 3 });
  });

  it('each event of an array has the pattern of its own field, whichever of them match', () => {
    const patterns = [
      { name: 'finished', pattern: '^job (?<job>\\d+): finished$' },
      { name: 'failed', pattern: '^job (?<job>\\d+): failed$' },
    ];
    const metrics = patterns.map(({ name }) => ({
      name: `${name}_total`,
      type: 'counter',
      help: 'n',
      patterns: [name],
    }));
    const then = { field: 'message', patterns };
    const scanner = packScanner({ format: 'json', records_at: 'r', then, metrics }, { records: true });
    const events = ['job 1: started', 'job 2: finished', 'job 3: failed', 'no job', 'job 4: failed'];
    const line = (...messages: string[]): string =>
      `${JSON.stringify({ r: messages.map((message) => ({ message })) })}\n`;
    const { counts } = scanner.scan(
      line(...events) + line('no job') + line('job 5: finished', 'job 6: finished'),
    );
    expect(counts).toMatchObject({ lines: 3, matched: 2, unmatched: 1 });
    expect(scanner.metrics()).toMatch(/finished_total\S* 3\b/);
    expect(scanner.metrics()).toMatch(/failed_total\S* 2\b/);
  });

  it('then reads a field further: a container log with logfmt inside', () => {
    const pack = { format: 'json', then: { field: 'log', format: 'logfmt', prefix: 'app.' } };
    const { fields, counts } = fieldsOf(
      pack,
      '{"log":"level=info n=1\\n","stream":"stdout","time":"t"}\n{"log":"?","stream":"stdout"}\n',
    );
    expect(fields[0]).toEqual({
      log: 'level=info n=1\n',
      stream: 'stdout',
      time: 't',
      'app.level': 'info',
      'app.n': '1',
    });
    expect(counts).toMatchObject({ matched: 1, unmatched: 1 });
  });

  it('then can keep a line that the inner format does not fit', () => {
    const then = {
      field: 'message',
      patterns: [{ name: 'login', pattern: '^login (?<user>\\S+)$' }],
      otherwise: 'keep',
    };
    const metrics = [
      { name: 'logins_total', type: 'counter', help: 'x', patterns: ['login'], labels: ['user'] },
    ];
    const scanner = packScanner({ format: 'syslog', then, metrics });
    const { counts } = scanner.scan('May 17 10:05:03 h app: login eve\nMay 17 10:05:03 h app: other\n');
    expect(counts).toMatchObject({ matched: 2 });
    expect(scanner.metrics()).toBe('logins_total{user="eve"} 1');
    expect(scanner.records.map(({ fields }) => fields['user'])).toEqual(['eve', undefined]);
  });

  it('logfmt reads quotes, escapes, bare words and empty values', () => {
    expect(
      fieldsOf({ format: 'logfmt' }, 'a="x \\"y\\"" b= c d=1=2  e="\\u00e9\\n"\njust words\n"\na="open\n')
        .fields,
    ).toEqual([{ a: 'x "y"', b: '', c: true, d: '1=2', e: 'é\n' }, {}, {}, {}]);
  });

  it('keyvalue takes other separators', () => {
    expect(
      fieldsOf({ format: 'keyvalue', key_separator: ': ', pair_separator: '; ' }, 'to: a b; size: 12; x\n')
        .fields,
    ).toEqual([{ to: 'a b', size: '12' }]);
  });

  it('csv reads quotes and passes over rows of another width', () => {
    const { fields, counts } = fieldsOf({ format: 'csv' }, 'name,"the value",x\n"a, ""b""",1,\nonly\n\n');
    expect(fields).toEqual([{ name: 'a, "b"', 'the value': '1' }, {}]);
    expect(counts).toMatchObject({ lines: 4, matched: 1, unmatched: 1, filteredBy: { header: 2 } });
  });

  it('logfmt takes double quotes for quotes, and no others', () => {
    expect(fieldsOf({ format: 'logfmt' }, "arg='tis name=O'Brien next=6\n").fields).toEqual([
      { arg: "'tis", name: "O'Brien", next: '6' },
    ]);
  });

  it('csv takes its header for a header wherever it comes again', () => {
    const { fields, counts } = fieldsOf({ format: 'csv' }, 'a,b\n1,2\na,b\n a , b\nb,a\n');
    expect(fields).toEqual([
      { a: '1', b: '2' },
      { a: 'b', b: 'a' },
    ]);
    expect(counts).toMatchObject({ matched: 2, unmatched: 0 });
  });

  it('csv goes on in the middle of a file by what it left behind', () => {
    const pack = { format: 'csv' };
    const first = packScanner(pack).scan('a;b\n1;2\n');
    const later = packScanner(pack);
    later.scan('3;4\n', { from: 8, parserState: first.parserState! });
    expect(later.records[0]!.fields).toEqual({ a: '3', b: '4' });
  });

  it('csv cannot read the middle of a file whose header it never saw, unless it has columns', () => {
    expect(packScanner({ format: 'csv' }).scan('3,4\n', { from: 8 }).counts).toMatchObject({ unmatched: 1 });
    const known = packScanner({ format: 'csv', columns: ['a', 'b'], header: true });
    known.scan('3,4\n', { from: 8 });
    expect(known.records[0]!.fields).toEqual({ a: '3', b: '4' });
  });

  it('w3c follows the Fields line, also when it changes', () => {
    const text =
      '#Version: 1.0\n#Fields: date cs-method sc-status\n2024-05-17 GET 200\n#Fields: cs-uri-stem\n/x\n/x y\n- \n';
    const { fields, counts } = fieldsOf({ format: 'w3c' }, text);
    expect(fields).toEqual([
      { date: '2024-05-17', 'cs-method': 'GET', 'sc-status': '200' },
      { 'cs-uri-stem': '/x' },
      {},
      {},
    ]);
    expect(counts).toMatchObject({ lines: 7, matched: 2, unmatched: 2, filtered: 3 });
  });

  it('cri joins partial lines of streams that stand between each other', () => {
    const text = [
      '2024-05-17T10:05:03.1Z stdout P one ',
      '2024-05-17T10:05:03.2Z stderr F error',
      '2024-05-17T10:05:03.3Z stdout F two',
      '2024-05-17T10:05:03.4Z stdout P open',
      '',
    ].join('\n');
    const scanner = packScanner({ format: 'cri' });
    const { counts, consumed } = scanner.scan(text, { flush: false });
    expect(scanner.records.map(({ fields }) => fields['message'])).toEqual(['one two', 'error']);
    expect(counts).toMatchObject({ lines: 3, matched: 3, events: 2 });
    expect(text.slice(consumed)).toBe('2024-05-17T10:05:03.4Z stdout P open\n');
    const rest = packScanner({ format: 'cri' });
    rest.scan(text.slice(consumed), { from: consumed, flush: true });
    expect(rest.records.map(({ fields }) => fields['message'])).toEqual(['open']);
  });

  it('grok captures with types and own definitions', () => {
    const pack = {
      grok: '^%{IP:client} %{ORDER:order} %{NUMBER:took:float} %{GREEDYDATA:[msg][text]}$',
      definitions: { ORDER: 'ord-%{INT}' },
    };
    const { fields } = fieldsOf(
      pack,
      '203.0.113.7 ord-17 0.25 all well\n2001:db8::1 ord-1 1 x\nnope ord-1 1 x\n',
    );
    expect(fields[0]).toEqual({ client: '203.0.113.7', order: 'ord-17', took: 0.25, 'msg.text': 'all well' });
    expect(fields[1]!['client']).toBe('2001:db8::1');
    expect(fields[2]).toEqual({});
  });

  it('grok reads a combined access log', () => {
    const { fields } = fieldsOf(
      { grok: '^%{COMBINEDAPACHELOG}$' },
      '203.0.113.7 - bob [17/May/2024:10:05:03 +0000] "GET /x HTTP/1.1" 200 12 "-" "curl"\n',
    );
    expect(fields[0]).toMatchObject({
      clientip: '203.0.113.7',
      auth: 'bob',
      verb: 'GET',
      request: '/x',
      response: '200',
      bytes: '12',
    });
  });
});
