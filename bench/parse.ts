/**
 * Parsing alone, in this process: MiB/s of a pack beside loops that do the least that could be done with the same
 * expression. `node bench-build/parse.js [MiB]` after bundling, or any runner of TypeScript.
 */
import { readFileSync } from 'node:fs';
import { createAggregator } from '../src/metrics/aggregator.ts';
import { createRecordWriter } from '../src/wire/record-writer.ts';
import { compileScanner } from '../src/parse/compile-scanner.ts';
import { loadPack } from '../src/parse/load-pack.ts';
import { enableLinearFallback } from '../src/parse/pattern/linear.ts';
import { accessLog, jsonLog, logfmtLog, syslogLog } from './workloads.ts';

enableLinearFallback();

const MIB = 1024 * 1024;
const CHUNK = 1 * MIB;
const size = Number(process.argv[2] ?? 64) * MIB;

const COMBINED =
  '^(?<addr>\\S+) (?<ident>\\S+) (?<user>\\S+) \\[(?<time>[^\\]]+)\\] "(?<method>[A-Z]+) (?<target>[^" ]*)(?: (?<protocol>HTTP/[\\d.]+))?" (?<status>\\d{3}) (?<bytes>\\d+|-) "(?<referer>[^"]*)" "(?<agent>[^"]*)"(?: (?<took>\\d+(?:\\.\\d+)?))?$';
const metric = (name: string, value: string) =>
  `  - { name: ${name}, type: histogram, help: x, value: ${value}, labels: [method, status] }`;

const only = process.argv[3] ?? '';

function main(): void {
  const access = accessLog(size);
  report('A access, split and match', access, splitAndMatch(new RegExp(COMBINED)));
  report('A access, bare sticky loop, 3 groups', access, stickyLoop());
  report(
    'A access, pack: 12 fields, 3 used',
    access,
    scan(
      `name: a\ndescription: x\npattern: '${COMBINED}'\nmetrics:\n${metric('request_duration_seconds', 'took')}`,
    ),
  );
  report('A access, built-in nginx pack', access, scan(readFileSync('parsers/nginx/pack.yaml', 'utf8')));
  report(
    'B rare pattern (bytes 31337)',
    access,
    scan(
      `name: b\ndescription: x\npattern: '" (?<status>\\d{3}) 31337 "'\nmetrics:\n  - { name: rare_total, type: counter, help: x, labels: [status] }`,
    ),
  );
  const syslog = syslogLog(size);
  report('C syslog, 1 pattern', syslog, scan(syslogPack(1)));
  report('C syslog, 20 patterns', syslog, scan(syslogPack(20)));
  report('D JSON, built-in pino pack', jsonLog(size), scan(readFileSync('parsers/pino/pack.yaml', 'utf8')));
  report(
    'D logfmt, built-in queue-consumer pack',
    logfmtLog(size),
    scan(readFileSync('parsers/queue-consumer/pack.yaml', 'utf8')),
  );
  report(
    'E access, nginx pack with records',
    access.subarray(0, size / 4),
    scan(readFileSync('parsers/nginx/pack.yaml', 'utf8'), true),
  );
}

type Pass = (bytes: Buffer) => number;

function syslogPack(patterns: number): string {
  const list = Array.from({ length: patterns }, (_, i) => {
    const n = String(i).padStart(2, '0');
    return `  - { name: event${n}, pattern: '^(?<time>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d) (?<host>\\S+) (?<program>[^\\s:[]+)(?:\\[(?<pid>\\d+)\\])?: event${n} from (?<ip>\\S+) user (?<user>\\S+) took (?<ms>\\d+)ms$' }`;
  });
  return `name: c\ndescription: x\npatterns:\n${list.join('\n')}\nmetrics:\n  - { name: events_total, type: counter, help: x, labels: { event: '@pattern', program: program } }`;
}

function splitAndMatch(regex: RegExp): Pass {
  return (bytes) => {
    const counts = new Map<string, number>();
    let matched = 0;
    for (const line of bytes.toString('utf8').split('\n')) {
      const match = regex.exec(line);
      if (match === null) continue;
      matched++;
      const key = `${match.groups!['method']} ${match.groups!['status']}`;
      counts.set(key, (counts.get(key) ?? 0) + Number(match.groups!['took']));
    }
    return matched;
  };
}

function stickyLoop(): Pass {
  const source = COMBINED.replaceAll(/\(\?<(method|status|took)>/g, '(')
    .replaceAll(/\(\?<\w+>/g, '(?:')
    .replaceAll('[^"]', '[^"\\n]')
    .replaceAll('[^\\]]', '[^\\]\\n]')
    .replaceAll('[^" ]', '[^" \\n]');
  const regex = new RegExp(source, 'my');
  return (bytes) => {
    const text = bytes.toString('latin1');
    const counts = new Map<string, Map<string, { sum: number }>>();
    let matched = 0;
    for (let at = 0; at < text.length;) {
      regex.lastIndex = at;
      const match = regex.exec(text);
      if (match === null) {
        at = text.indexOf('\n', at) + 1;
        continue;
      }
      matched++;
      let level = counts.get(match[1]!);
      if (level === undefined) counts.set(match[1]!, (level = new Map()));
      const cell = level.get(match[2]!);
      if (cell === undefined) level.set(match[2]!, { sum: Number(match[3]) });
      else cell.sum += Number(match[3]);
      at = regex.lastIndex + 1;
    }
    return matched;
  };
}

function scan(yaml: string, records = false): Pass {
  const { pack, problems } = loadPack(yaml, 'pack.yaml');
  if (pack === undefined) throw new Error(JSON.stringify(problems));
  const scanner = compileScanner(
    pack,
    { source: 'bench', constLabels: { source: 'bench' }, records, maxSeries: 10_000 },
    {
      aggregator: createAggregator(),
      ...(records ? { records: createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 5000 }) } : {}),
    },
  );
  let from = 0;
  return (bytes) => {
    const { counts } = scanner.scan({
      source: 'bench',
      stream: 1,
      path: '/var/log/x.log',
      bytes,
      from,
      to: from + bytes.length,
      cutBytes: 0,
      cutLines: 0,
      flush: false,
      readAtMs: 1_715_940_303_000,
    });
    from += bytes.length;
    return counts.matched;
  };
}

function report(name: string, bytes: Buffer, pass: Pass): void {
  if (!name.startsWith(only)) return;
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + CHUNK >= bytes.length ? bytes.length : bytes.lastIndexOf(0x0a, at + CHUNK) + 1;
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  for (const chunk of chunks.slice(0, 8)) pass(chunk);
  let best = Number.POSITIVE_INFINITY;
  let matched = 0;
  for (let round = 0; round < 3; round++) {
    matched = 0;
    // Processor time: what it would take with nobody else on the machine.
    const started = process.cpuUsage().user;
    for (const chunk of chunks) matched += pass(chunk);
    best = Math.min(best, (process.cpuUsage().user - started) / 1000);
  }
  process.stdout.write(
    `${name.padEnd(48)} ${(bytes.length / MIB / (best / 1000)).toFixed(0).padStart(6)} MiB/s  ${matched} matched\n`,
  );
}

main();
