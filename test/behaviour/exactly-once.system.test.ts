import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readMetrics, readStatus } from '../torture/agent-view.ts';
import { sleep } from '../torture/http-get.ts';
import { PlainReceiver } from '../torture/plain-receiver.ts';
import { recordsAt } from '../torture/verdict.ts';
import { answers, freePort, Program, query, type Running } from './program.ts';

const FILES = ['a', 'b', 'c'];
const LINES = 200_000;
/** Lines of one write, a few milliseconds apart: more than 20,000 lines a second until all are written. */
const BURST = 200;
const ROTATE_EACH_MS = 500;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-once-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  fs.mkdirSync(path.join(folder, 'logs'));
  return folder;
}

function agentConfig(folder: string, ports: { agent: number; receiver: number }, sink: string): string {
  const file = path.join(folder, 'taffrail.yaml');
  fs.writeFileSync(
    file,
    `state_dir: ./agent
listen: 127.0.0.1:${ports.agent}
sources:
${FILES.map((name) => `  - { name: ${name}, paths: ['./logs/${name}.log'], records: true }`).join('\n')}
sinks:
  - { name: central, type: otlp, endpoint: 'http://127.0.0.1:${ports.receiver}', retry_initial: 20ms, retry_max: 200ms, ${sink} }
metrics: { sample_interval: 1s }
`,
  );
  return file;
}

/** A first line in each file, read by the agent: what is rotated away before anybody knew the file is history. */
async function begin(folder: string, agent: string): Promise<void> {
  for (const name of FILES)
    fs.writeFileSync(path.join(folder, 'logs', `${name}.log`), `${name} 0 the first line\n`);
  await delivered(agent, new Map(FILES.map((name) => [name, 1])));
}

/** Appends `total` numbered lines, to each file in turn, while each is renamed away and made anew now and then. */
async function writeRotating(folder: string, total: number): Promise<ReadonlyMap<string, number>> {
  const written = new Map(FILES.map((name) => [name, 1]));
  const rotatedAt = new Map(FILES.map((name) => [name, performance.now()]));
  for (let done = FILES.length; done < total;) {
    for (const name of FILES) {
      const file = path.join(folder, 'logs', `${name}.log`);
      const from = written.get(name)!;
      if (performance.now() - rotatedAt.get(name)! > ROTATE_EACH_MS) {
        for (let at = 99; at >= 1; at--)
          if (fs.existsSync(`${file}.${at}`)) fs.renameSync(`${file}.${at}`, `${file}.${at + 1}`);
        fs.renameSync(file, `${file}.1`);
        rotatedAt.set(name, performance.now());
      }
      const count = Math.min(BURST, total - done);
      fs.appendFileSync(
        file,
        Array.from({ length: count }, (_, i) => `${name} ${from + i} a line as services write them\n`).join(
          '',
        ),
      );
      written.set(name, from + count);
      done += count;
    }
    await sleep(4);
  }
  return written;
}

/** Until the agent has read, and its sink has acknowledged, all of it. */
async function delivered(agent: string, written: ReadonlyMap<string, number>): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const status = await readStatus(agent);
    const well = [...written].every(([source, lines]) => {
      const read = status?.sources.find(({ name }) => name === source)?.ledger.read;
      return read === lines && status?.sinks[0]?.ledger[source]?.delivered === lines;
    });
    if (well) return;
    if (performance.now() > deadline) throw new Error(`not delivered: ${JSON.stringify(status?.sources)}`);
    await sleep(50);
  }
}

async function expectCounters(agent: string, written: ReadonlyMap<string, number>): Promise<void> {
  const metrics = await readMetrics(agent);
  const counted = (metrics.get('log_lines_total') ?? []).map(
    ({ labels, value }) => [labels['source'], value] as const,
  );
  expect(new Map(counted)).toEqual(written);
  expect(metrics.get('taffrail_ledger_holds')?.[0]?.value).toBe(1);
}

/** Which numbers are there, how often; told shortly where it is not each once. */
function expectEachOnce(bodies: readonly string[], name: string, lines: number): void {
  const times = new Uint16Array(lines);
  for (const body of bodies) times[Number(new RegExp(`^${name} (\\d+) `).exec(body)?.[1])]!++;
  const missing = times.reduce((sum, count) => sum + Number(count === 0), 0);
  const twice = times.reduce((sum, count) => sum + Number(count > 1), 0);
  expect({ name, records: bodies.length, missing, twice }).toEqual({
    name,
    records: lines,
    missing: 0,
    twice: 0,
  });
}

describe('every line once', () => {
  test('through rotations, and agent and collector killed again and again', async () => {
    const folder = newFolder();
    const ports = { agent: await freePort(), receiver: await freePort() };
    const config = agentConfig(folder, ports, 'encoding: protobuf');
    const collectorConfig = path.join(folder, 'collector.yaml');
    fs.writeFileSync(collectorConfig, `state_dir: ./collector\nlisten: 127.0.0.1:${ports.receiver}\n`);
    const agentUrl = `http://127.0.0.1:${ports.agent}`;
    const collectorUrl = `http://127.0.0.1:${ports.receiver}`;
    const startAgent = (): Running => program.start('agent', '-c', config);
    const startCollector = (): Running => program.start('collector', '-c', collectorConfig);
    let agent = startAgent();
    let collector = startCollector();
    onTestFinished(async () => {
      await agent.kill('SIGKILL');
      await collector.kill('SIGKILL');
    });
    await begin(folder, agentUrl);
    const writing = writeRotating(folder, LINES);
    for (let round = 0; round < 5; round++) {
      await answers(`${agentUrl}/-/healthy`, agent);
      await sleep(300 + 150 * round);
      await agent.kill('SIGKILL');
      if (round % 2 === 1) {
        await collector.kill('SIGKILL');
        collector = startCollector();
      }
      agent = startAgent();
    }
    const written = await writing;
    await delivered(agentUrl, written);
    await expectCounters(agentUrl, written);
    for (const [source, lines] of written) {
      const records = await recordsAt(collectorUrl, source);
      expectEachOnce(
        records.map(({ body }) => body),
        source,
        lines,
      );
    }
    // Counters reach the collector with the next sample.
    const deadline = performance.now() + 10_000;
    let counted: readonly (readonly [string | undefined, number])[] = [];
    do {
      counted = (await query(collectorUrl, 'sum by (source) (log_lines_total)')).map(
        ({ source, value }) => [source, Number(value)] as const,
      );
      await sleep(100);
    } while (JSON.stringify(counted) !== JSON.stringify([...written]) && performance.now() < deadline);
    expect(new Map(counted)).toEqual(written);
  });

  test('at a receiver that fails every third request after it has read it: repeats have the same key and content', async () => {
    const folder = newFolder();
    const receiver = await PlainReceiver.open();
    onTestFinished(async () => receiver.close());
    receiver.answer = () => (receiver.requests % 3 === 0 ? 'refuse_after' : 'well');
    const ports = { agent: await freePort(), receiver: receiver.port };
    const config = agentConfig(folder, ports, 'encoding: json');
    const agentUrl = `http://127.0.0.1:${ports.agent}`;
    let agent = program.start('agent', '-c', config);
    onTestFinished(async () => agent.kill('SIGKILL'));
    await begin(folder, agentUrl);
    const writing = writeRotating(folder, 40_000);
    await sleep(700);
    await agent.kill('SIGKILL');
    agent = program.start('agent', '-c', config);
    const written = await writing;
    await delivered(agentUrl, written);
    expect(receiver.faults).toEqual([]);
    expect(receiver.repeats).toBeGreaterThan(0);
    for (const [name, lines] of written) {
      const bodies = receiver.records.filter(({ source }) => source === name).map(({ body }) => body);
      expectEachOnce(bodies, name, lines);
    }
    await expectCounters(agentUrl, written);
  });
});
