// The whole agent as a process, beside baselines in the same run. Started by scripts/bench.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accessLog, eventLog, jsonLog } from '../workloads.ts';
import { AgentProcess, MALLOC_ARENA_MAX } from './agent-process.ts';
import { baselines } from './baselines.ts';
import { catchUp, writePack } from './catch-up.ts';
import { idle } from './idle.ts';
import { report, type Row, say } from './report.ts';
import { samples } from './samples.ts';
import { search } from './search.ts';
import { timeSearches } from './searches.ts';
import { SystemCalls } from './system-calls.ts';

const COMBINED =
  '^([^ ]+) ([^ ]+) ([^ ]+) \\[([^]]+)\\] "([A-Z]+) ([^" ]*)( HTTP/[0-9.]+)?" ([0-9]{3}) ([0-9]+|-) "([^"]*)" "([^"]*)"( [0-9.]+)?$';
const COMBINED_JS = COMBINED.replaceAll('[^]]', '[^\\]]').replaceAll('[^ ]', '[^ \\n]');
const RARE = '" ([0-9]{3}) 31337 "';
const MTAIL = `counter requests by method, status\n/^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] "(?P<method>[A-Z]+) ([^" ]*)( HTTP\\/[\\d.]+)?" (?P<status>\\d{3}) (?P<size>\\d+|-) "([^"]*)" "([^"]*)"( [\\d.]+)?$/ {\n  requests[$method][$status]++\n}\n`; // prettier-ignore

const WORDS = process.argv.slice(2);
const option = (name: string, otherwise: number): number => {
  const at = WORDS.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(WORDS.splice(at, 2)[1]);
};
const bytes = option('mib', 128) * 2 ** 20;
const seconds = option('seconds', 60);
const series = option('series', 20_000);
const ticks = option('ticks', 40);
const searched = option('records', 2_000_000);
const ALL = ['A', 'B', 'C', 'D', 'E', 'idle', 'durability', 'tail-file', 'samples', 'search'];
const wanted = WORDS.length === 0 ? ALL : WORDS;
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'taffrail-bench-'));
let port = 19_600;

interface Input {
  readonly file: string;
  readonly mib: number;
  readonly lines: number;
}

function input(name: string, content: Buffer, times = 1): Input {
  const file = join(dir, name);
  rmSync(file, { force: true });
  for (let n = 0; n < times; n++) writeFileSync(file, content, { flag: 'a' });
  const [lines] = spawnSync('wc', ['-l', file], { encoding: 'utf8' }).stdout.split(' ');
  return { file, mib: (content.length * times) / 2 ** 20, lines: Number(lines) };
}

const parts: Record<string, () => Promise<void>> = { A: access, B: rare, C: many, D: json, E: records, idle: async () => idle(dir, port++, seconds), durability, 'tail-file': tailFile, samples: async () => samples(dir, (port += 2), series, ticks), search: async () => search(dir, port++, searched) }; // prettier-ignore

async function access(): Promise<void> {
  const { file, mib, lines } = input('access', accessLog(bytes));
  const use = { dir, files: [file], lines, parser: 'nginx' };
  const one = await catchUp({ ...use, name: 'taffrail agent', port: port++ });
  const pinned = await catchUp({
    ...use,
    name: 'taffrail agent, one core',
    port: port++,
    begin: pinToOneCore,
  });
  const second = input('access-2', accessLog(bytes)).file;
  const two = await catchUp({ ...use, name: '', port: port++, files: [file, second], lines: lines * 2 });
  const rows = baselines({ file, dir, expression: COMBINED_JS, posix: COMBINED, mtail: MTAIL });
  report('A: catch-up to metrics, all fields of the combined format matched', mib, lines, [one, pinned, ...rows]); // prettier-ignore
  const times = (other: Row): string => ((2 * other.seconds) / two.seconds).toFixed(2);
  say(`two files: ${((mib * 2) / two.seconds).toFixed(0)} MiB/s, ${times(one)} times one, ${times(pinned)} times one on one core; peak ${two.peakMib!.toFixed(0)} MiB`); // prettier-ignore
}

/** With all of its threads, those to come too. */
async function pinToOneCore(agent: AgentProcess): Promise<void> {
  const [, core] = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  const { status, error } = spawnSync('taskset', ['-acp', core!, String(agent.pid)]);
  if (status !== 0) throw new Error(`taskset: ${error?.message ?? status}`);
}

/** On eight times as much as the others: what is done in a tenth of a second says more of the start than of the search. */
async function rare(): Promise<void> {
  const { file, mib, lines } = input('access', accessLog(bytes), 8);
  writePack(dir, 'bench-rare', {
    pattern: '" (?<status>\\d{3}) 31337 "',
    metrics: [{ name: 'rare_total', type: 'counter', help: 'x', labels: ['status'] }],
  });
  const one = await catchUp({ name: 'taffrail agent', dir, port: port++, files: [file], lines, parser: 'bench-rare' }); // prettier-ignore
  report('B: selective count of a rare pattern', mib, lines, [
    one,
    ...baselines({ file, dir, expression: RARE }),
  ]);
}

async function many(): Promise<void> {
  for (const count of [1, 20]) {
    const { file, mib, lines } = input(`events-${count}`, eventLog(bytes, count));
    const patterns = Array.from({ length: count }, (_, i) => {
      const name = `event${String(i).padStart(2, '0')}`;
      return { name, pattern: `^(?<time>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d) (?<host>\\S+) (?<program>[^\\s:[]+)(?:\\[(?<pid>\\d+)\\])?: ${name} from (?<ip>\\S+) user (?<user>\\S+) took (?<ms>\\d+)ms$` }; // prettier-ignore
    });
    const labels = { event: '@pattern', program: 'program' };
    writePack(dir, `bench-events-${count}`, {
      patterns,
      metrics: [{ name: 'events_total', type: 'counter', help: 'x', labels }],
    });
    const one = await catchUp({ name: 'taffrail agent', dir, port: port++, files: [file], lines, parser: `bench-events-${count}` }); // prettier-ignore
    report(`C: ${count} patterns, every line matches one`, mib, lines, [one]);
  }
}

async function json(): Promise<void> {
  const { file, mib, lines } = input('json', jsonLog(bytes));
  const one = await catchUp({
    name: 'taffrail agent',
    dir,
    port: port++,
    files: [file],
    lines,
    parser: 'pino',
  });
  report('D: JSON, twelve keys', mib, lines, [
    one,
    ...baselines({ file, dir, expression: '"statusCode":([0-9]+)' }),
  ]);
}

async function records(): Promise<void> {
  const { file, mib, lines } = input('access', accessLog(bytes));
  const until = 'taffrail_sink_delivered_lines_total';
  const ship = async (name: string, endpoint: string, encoding: string) =>
    catchUp({ name, dir, port: port++, files: [file], lines, parser: 'nginx', until, source: { records: true }, agent: { sinks: [{ name: 'central', type: 'otlp', endpoint, encoding }] } }); // prettier-ignore
  const collectorPort = port++;
  const collector = new AgentProcess('collector', dir, { state_dir: join(dir, 'store') }, collectorPort);
  const rows: Row[] = [];
  let searches: string[];
  try {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const url = `http://127.0.0.1:${collectorPort}`;
    const before = collector.figures.cpuSeconds;
    const agent = await ship('agent to our collector', url, 'protobuf');
    const { cpuSeconds, peakMib } = collector.figures;
    const took = { seconds: agent.seconds, cpuSeconds: cpuSeconds - before, peakMib };
    rows.push(agent, { name: 'our collector meanwhile', ...took });
    searches = await timeSearches(url);
  } finally {
    await collector.stop();
  }
  const receiverPort = port++;
  const receiver = spawn(process.execPath, [fileURLToPath(new URL('./receiver.js', import.meta.url)), String(receiverPort)]); // prettier-ignore
  try {
    for (const encoding of ['protobuf', 'json'])
      rows.push(
        await ship(`agent to a bare receiver, ${encoding}`, `http://127.0.0.1:${receiverPort}`, encoding),
      );
  } finally {
    receiver.kill();
  }
  report('E: every field shipped, gzip, buffer durable', mib, lines, rows);
  say(`Of its records the collector tells\n${searches.join('\n')}`);
}

/** On the disk of the system's temporary folder, where a sync means something. */
async function durability(): Promise<void> {
  const disk = mkdtempSync(join(tmpdir(), 'taffrail-bench-'));
  try {
    say(`\ndurability, on ${tmpdir()}`);
    const buffer = fileURLToPath(new URL('../buffer.js', import.meta.url));
    spawnSync(process.execPath, [buffer, disk], { stdio: 'inherit' });
    const { file, mib, lines } = input('access', accessLog(bytes));
    const agent = { state_dir: join(disk, 'state') };
    const use = { name: '', dir, files: [file], lines, parser: 'nginx', source: { records: true } };
    await catchUp({ ...use, port: port++, agent }, async (running, took) => {
      const commits = await running.read('taffrail_buffer_commits_total');
      const syncs = await running.read('taffrail_buffer_fdatasyncs_total');
      say(`whole agent, records buffered: ${(mib / took).toFixed(0)} MiB/s of lines, ${(commits / took).toFixed(0)} commits/s, ${(syncs / took).toFixed(0)} fdatasync/s`); // prettier-ignore
    });
    const trace = new SystemCalls();
    rmSync(agent.state_dir, { recursive: true, force: true });
    await catchUp({ ...use, port: port++, agent, begin: async ({ pid }) => trace.start(pid) }, async () =>
      say(`the same once more, its calls to the kernel:\n${await trace.stop()}`),
    );
  } finally {
    rmSync(disk, { recursive: true, force: true });
  }
}

async function tailFile(): Promise<void> {
  spawnSync(process.execPath, [fileURLToPath(new URL('../tail-file.js', import.meta.url))], {
    stdio: 'inherit',
  });
}

say(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; Node ${process.version}, MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX}; inputs of ${bytes / 2 ** 20} MiB in ${dir}`); // prettier-ignore
say('CPU x: CPU time as a multiple of the agent’s own; loop ms: longest hold-up of its event loop.');
try {
  for (const name of wanted) {
    const part = parts[name];
    if (part === undefined) throw new Error(`${name}: there are ${ALL.join(', ')}`);
    await part();
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
