import { describe, expect, test } from 'vitest';
import { type ScannerNews, ScannerSet } from '../../src/agent/scanner-set.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Fragment } from '../../src/model/slice.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { jsonLines } from '../../src/sinks/json-lines.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';
import { fc } from '../fuzz.ts';

/** A format with one line of it that holds a number. */
interface Way {
  readonly pack: object;
  readonly innocent: (id: number) => string;
  /** Lines that stand before all others. */
  readonly head?: readonly string[];
}

const PATTERN = { name: 'line', pattern: '^id=(?<id>\\d+) (?<word>\\w+) (?<rest>.*)$' };
const COUNTER = { name: 'lines_total', type: 'counter', help: 'n' };
const cri = (text: string): string => `2026-01-15T12:00:00.000000000Z stdout F ${text}`;
const docker = (text: string): string =>
  JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: '2026-01-15T12:00:00Z' });

/** A format inside a field of the other. */
function inside(inner: object): object {
  return JSON.parse(
    JSON.stringify({ next: { ...inner, otherwise: 'keep' } }).replace('next', 'then'),
  ) as object;
}

const WAYS: Readonly<Record<string, Way>> = {
  'a pattern as WebAssembly': {
    pack: { patterns: [PATTERN], metrics: [{ ...COUNTER, labels: ['word'] }] },
    innocent: (id) => `id=${id} ok and more`,
  },
  'a pattern over text': {
    pack: {
      patterns: [{ name: 'line', pattern: '^id=(?<id>\\d+) (?<word>\\w+)(?! x).*$' }],
      unsafe: true,
      metrics: [{ ...COUNTER, labels: ['word'] }],
    },
    innocent: (id) => `id=${id} ok and more`,
  },
  'several patterns, with steps': {
    pack: {
      patterns: [PATTERN, { name: 'other', pattern: '^other (?<rest>.*)$' }],
      steps: [{ mask: { pattern: '\\b\\d{16}\\b', with: '<card>' } }],
      metrics: [{ ...COUNTER, labels: ['word'] }],
    },
    innocent: (id) => `id=${id} ok and more`,
  },
  raw: { pack: { format: 'raw', metrics: [COUNTER] }, innocent: (id) => `id=${id} ok` },
  json: {
    pack: {
      format: 'json',
      metrics: [{ ...COUNTER, labels: { a: 'a', b: 'a.b', word: 'word' } }],
    },
    innocent: (id) => JSON.stringify({ id, word: 'ok', a: { b: [1] } }),
  },
  'json, an array of records': {
    pack: { format: 'json', records_at: 'r', metrics: [{ ...COUNTER, labels: ['word'] }] },
    innocent: (id) => JSON.stringify({ r: [{ word: 'ok' }, { id: `id=${id}` }] }),
  },
  logfmt: {
    pack: { format: 'logfmt', metrics: [{ ...COUNTER, labels: ['word'] }] },
    innocent: (id) => `id=${id} word=ok text="a b"`,
  },
  keyvalue: {
    pack: { format: 'keyvalue', key_separator: ': ', pair_separator: '; ' },
    innocent: (id) => `id: ${id}; word: ok`,
  },
  csv: {
    pack: { format: 'csv', columns: ['id', 'word'], metrics: [{ ...COUNTER, labels: ['word'] }] },
    innocent: (id) => `${id},"o,k"`,
  },
  tsv: { pack: { format: 'tsv' }, innocent: (id) => `${id}\tok`, head: ['id\tword'] },
  w3c: { pack: { format: 'w3c' }, innocent: (id) => `${id} ok`, head: ['#Fields: id word'] },
  syslog: {
    pack: { format: 'syslog', metrics: [{ ...COUNTER, labels: ['program'] }] },
    innocent: (id) => `<13>Jan 15 12:00:00 host app[1]: id=${id} ok`,
  },
  cri: { pack: { format: 'cri' }, innocent: (id) => cri(`id=${id} ok`) },
  'cri with json inside': {
    pack: {
      format: 'cri',
      ...inside({ field: 'message', format: 'json', prefix: 'app.' }),
      metrics: [{ ...COUNTER, labels: { word: 'app.word' } }],
    },
    innocent: (id) => cri(JSON.stringify({ id, word: 'ok' })),
  },
  'docker with a pattern inside': {
    pack: { format: 'json', ...inside({ field: 'log', patterns: [PATTERN] }) },
    innocent: (id) => docker(`id=${id} ok and more`),
  },
  multiline: {
    pack: { patterns: [PATTERN], multiline: { start: '^id=' } },
    innocent: (id) => `id=${id} ok and more`,
  },
  'stack traces': {
    pack: { format: 'raw', multiline: { stacktrace: ['java', 'python', 'go', 'node'] } },
    innocent: (id) => `id=${id} ok and more`,
  },
  'multiline in cri': {
    pack: {
      format: 'cri',
      multiline: { start: '^id=' },
      ...inside({ field: 'message', patterns: [PATTERN] }),
    },
    innocent: (id) => cri(`id=${id} ok and more`),
  },
};

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).filter(
  (byte) => byte !== 0x0a,
);
const DEEP = 20_000;
const LONG = 60_000;

/** Lines that ask much of whoever reads them; `inner` puts text where the format holds it. */
const HOSTILE: Readonly<Record<string, (inner: (text: string) => string) => string | Uint8Array>> = {
  'objects in objects': () => `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  'objects in objects, in a string': (inner) => inner(`${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`),
  'objects that do not end': () => '{"a":'.repeat(DEEP),
  'arrays in arrays': () =>
    `{"a":${'['.repeat(DEEP)}${']'.repeat(DEEP)},"r":[${'['.repeat(DEEP)}${']'.repeat(DEEP)}]}`,
  'records that are deep': () => `{"r":[{"a":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}},{"word":"ok"}]}`,
  'an array alone': () => '['.repeat(DEEP),
  'one letter, very often': () => 'a'.repeat(LONG),
  quotes: () => '"'.repeat(LONG),
  'a string that does not end': () => `{"a":"${'\\"'.repeat(LONG)}`,
  backslashes: (inner) => inner('\\'.repeat(LONG + 1)),
  spaces: (inner) => inner(' '.repeat(LONG)),
  'pairs without end': () => 'a=1 '.repeat(LONG / 4),
  'columns without end': () => ','.repeat(LONG),
  'many keys': () =>
    JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, n]))),
  'keys of the language': () =>
    '{"__proto__":{"x":1},"constructor":{"prototype":1},"toString":1,"id":{"toString":1}}',
  NULs: () => '\0'.repeat(1000),
  'NULs in between': (inner) => inner('id=1\0 ok\0'),
  'every byte': () => EVERY_BYTE,
  'every byte, over and over': () => Buffer.concat(Array.from({ length: 200 }, () => EVERY_BYTE)),
  'halves of surrogate pairs': () =>
    Buffer.concat([Buffer.from('id=1 ok '), Buffer.from([0xed, 0xa0, 0x80, 0xed, 0xbf])]),
  'halves of surrogate pairs, escaped': () => '{"id":"\\ud800","word":"\\udc00\\ud800","a":{"b":"\\ud83d"}}',
  'UTF-8 that is cut off': () => Buffer.from([0x69, 0x64, 0x3d, 0x31, 0x20, 0xf0, 0x9f, 0x98]),
  'a number of 10,000 digits': () =>
    `{"id":${'9'.repeat(10_000)},"word":1e${'9'.repeat(10_000)},"a":-0.${'0'.repeat(10_000)}1}`,
  'digits alone': (inner) => inner(`id=${'9'.repeat(10_000)} ok and more`),
  'a priority of 10,000 digits': () => `<${'1'.repeat(10_000)}>Jan 15 12:00:00 host app: x`,
  'structured data without end': () => `<13>1 2026-01-15T12:00:00Z h a 1 - ${'[a b="c"]'.repeat(5000)}`,
  'carriage returns': () => '\r'.repeat(10_000),
  'a header again': () => '#Fields: a b c',
  nothing: () => '',
};

function scannersOf(pack: object, news: ScannerNews[]): ScannerSet {
  const text = JSON.stringify({ name: 'x', description: 'x', ...pack });
  const loaded = loadPack(text, 'pack.yaml');
  if (loaded.pack === undefined) throw new Error(JSON.stringify(loaded.problems));
  const use = { source: 's', constLabels: { source: 's' }, records: true, maxSeries: 1000, timezone: 'UTC' };
  const plan = {
    source: 's',
    packFile: 'pack.yaml',
    packText: text,
    pack: loaded.pack,
    use,
    blockBytes: 64 * 1024,
    blockRecords: 1000,
  };
  return new ScannerSet([plan], (one) => news.push(one));
}

function chunkOf(lines: readonly (string | Uint8Array)[]): Chunk {
  const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
  return {
    source: 's',
    stream: 1,
    path: '/var/log/x.log',
    bytes,
    from: 0,
    cutBytes: 0,
    cutLines: 0,
    to: bytes.length,
    flush: true,
    readAtMs: Date.parse('2026-01-15T12:00:00Z'),
  };
}

function bodiesOf({ records }: Fragment): string[] {
  return records
    .flatMap((block) => decodeRecordBlock(plainRecords(block)))
    .map(({ body, attributes }) => `${JSON.stringify(body)} ${JSON.stringify(attributes)}`);
}

/** As a sink that writes JSON lines makes them. */
function jsonOf(fragment: Fragment): string[] {
  const position = { source: 's', stream: 1, path: '/x', device: '1', inode: '1', offset: 1 };
  const none = { bytes: 0, crc: 0 };
  const slices = [
    { ...fragment, position: { ...position, fingerprint: none, anchor: none }, from: 0, labels: {} },
  ];
  const entry: Entry = { kind: 'commit', seq: 1, timeMs: 0, slices, batches: [] };
  return jsonLines(entry, { logs: true, metrics: false }).text.trimEnd().split('\n');
}

/** How many of the ids 100000 to 100000 + count - 1 the texts tell. */
function idsIn(texts: readonly string[], count: number): number {
  const all = texts.join('\n');
  return Array.from({ length: count }, (_, n) => String(100_000 + n)).filter((id) => all.includes(id)).length;
}

const COUNT = 30;

function check(way: Way, hostile: readonly { readonly name: string; readonly at: number }[]): void {
  const { innocent, pack, head = [] } = way;
  const around = innocent(0).startsWith('2026') ? cri : innocent(0).startsWith('{"log"') ? docker : String;
  const lines: (string | Uint8Array)[] = Array.from({ length: COUNT }, (_, n) => innocent(100_000 + n));
  for (const { name, at } of hostile) lines.splice(at, 0, HOSTILE[name]!(around));
  const news: ScannerNews[] = [];
  const chunk = chunkOf([...head, ...lines]);
  const fragment = scannersOf(pack, news).scan(chunk);
  const total = lines.length + head.length;
  expect(fragment.consumed).toBe(chunk.bytes.length);
  expect(fragment.counts.lines).toBe(total);
  const { matched, unmatched, filtered, filteredBy } = fragment.counts;
  expect(matched + unmatched + filtered).toBe(total);
  expect(filteredBy?.['scan_failed'] ?? 0).toBe(0);
  expect(news.filter(({ kind }) => kind !== 'pattern_out')).toEqual([]);
  expect(idsIn(bodiesOf(fragment), COUNT)).toBe(COUNT);
  const written = jsonOf(fragment);
  expect(idsIn(written, COUNT)).toBe(COUNT);
  for (const line of written) JSON.parse(line);
}

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  test('with all hostile lines among innocent ones', () => {
    check(
      way,
      Object.keys(HOSTILE).map((name, n) => ({ name, at: 2 * n })),
    );
  });

  test('with any of them anywhere', () => {
    const hostile = fc.record({ name: fc.constantFrom(...Object.keys(HOSTILE)), at: fc.nat({ max: COUNT }) });
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 3 }), (some) => check(way, some)),
      { numRuns: 5 },
    );
  });
});

test('a JSON line nested 20,000 deep among 2,000 others leaves 2,000 counted and shipped, and is unmatched itself', () => {
  const { innocent, pack } = WAYS['json']!;
  const lines: string[] = Array.from({ length: 2000 }, (_, n) => innocent(100_000 + n));
  lines.splice(1000, 0, HOSTILE['objects in objects']!(String) as string);
  const fragment = scannersOf(pack, []).scan(chunkOf(lines));
  expect(fragment.counts).toEqual({
    ...NO_LINES,
    lines: 2001,
    bytes: chunkOf(lines).bytes.length,
    matched: 2000,
    unmatched: 1,
    unmatchedBytes: lines[1000]!.length + 1,
    events: 2001,
  });
  expect(bodiesOf(fragment).length).toBe(2001);
});
