// What it costs to write records as OTLP and to read them back, and to write samples as remote write.
// Run with Node 22.18 or later, which strips types: node bench/wire.ts
import type { FlatSample } from '../src/model/sample-set.ts';
import { decodeLogsRequest, encodeLogsRequest } from '../src/wire/otlp-logs.ts';
import { createRecordWriter } from '../src/wire/record-writer.ts';
import { RemoteWriteEncoder, decodeWriteRequest } from '../src/wire/remote-write.ts';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
const FIELDS = [
  ['remote_addr', '203.0.113.7'],
  ['remote_user', 'alice'],
  ['time', '10/Oct/2025:13:55:36 +0000'],
  ['method', 'GET'],
  ['path', '/api/orders/1234?x=1'],
  ['protocol', 'HTTP/1.1'],
  ['status', '200'],
  ['bytes', '2326'],
  ['referer', 'https://shop.example/cart'],
  ['agent', AGENT],
  ['request_time', '0.123'],
  ['host', 'shop.example'],
] as const;
const line = FIELDS.map(([, value]) => value).join(' ');
const source = Buffer.from(line);
const RECORDS = 4000;

const writer = createRecordWriter({ maxBlockBytes: 256 * 1024, maxBlockRecords: 1000 });
const keys = FIELDS.map(([name]) => writer.key(name));
const places = FIELDS.map(([, value]) => [line.indexOf(value), line.indexOf(value) + value.length] as const);

function write(areBytes: boolean): Uint8Array[] {
  writer.reset({ 'log.file.path': '/var/log/nginx/access.log' });
  for (let i = 0; i < RECORDS; i++) {
    writer.begin(1_700_000_000_000 + (i >> 6), 0, 1_700_000_000_000, 0, '');
    for (let field = 0; field < keys.length; field++) {
      if (areBytes) writer.attributeBytes(keys[field]!, source, places[field]![0], places[field]![1]);
      else writer.attribute(keys[field]!, FIELDS[field]![1]);
    }
    if (areBytes) writer.bodyBytes(source, 0, source.length);
    else writer.body(line);
    writer.end();
  }
  return writer.drain().map(({ bytes }) => bytes);
}

/** CPU ms of the fastest of some passes: on a shared machine the clock says little. */
function cpuMs(passes: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function report(what: string, ms: number, bytes?: number): void {
  const rate = bytes === undefined ? '' : `, ${(bytes / 1000 / ms).toFixed(0)} MB/s`;
  process.stdout.write(`${what.padEnd(52)} ${ms.toFixed(1)} ms${rate}\n`);
}

const scope = { name: 'taffrail', version: '0' };
const request = Buffer.concat(encodeLogsRequest([{ resource: {}, scope, blocks: write(false) }]));
const fromStrings = cpuMs(60, () => write(false));
report('write 4,000 records of 12 attributes, from strings', fromStrings, request.length);
const fromBytes = cpuMs(60, () => write(true));
report('write 4,000 records of 12 attributes, from bytes', fromBytes, request.length);
const reading = cpuMs(40, () => decodeLogsRequest(request));
report('read them', reading, request.length);

const samples = Array.from({ length: 10_000 }, (_, i): FlatSample => {
  const shared = { job: 'bench', zone: 'z', method: 'GET', status: '200', source: 'web' };
  const labels = { host: `h${i % 50}`, path: `/p/${i}`, ...shared };
  return {
    name: 'requests_total',
    type: 'counter',
    labels,
    timeMs: 1_700_000_000_000,
    value: i,
    stale: false,
  };
});
const encoder = new RemoteWriteEncoder();
const { body } = encoder.encode(samples);
const encoding = cpuMs(30, () => encoder.encode(samples));
report('write 10,000 samples as remote write', encoding);
const decoding = cpuMs(20, () => decodeWriteRequest(body));
report('read them', decoding);
