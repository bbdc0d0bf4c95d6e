import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MATRIX, type MatrixCase, MatrixWriter } from './matrix-case.ts';
import { Taffrail, type TaffrailProcess, until } from './run-taffrail.ts';

/** Of each kind of rotation in each circumstance; more by TAFFRAIL_MATRIX_LINES. */
const LINES = Number(process.env['TAFFRAIL_MATRIX_LINES'] ?? 1000);
const ROTATIONS = 3;
const WAIT_MS = 60_000 + LINES * 4;

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

const hasLogrotate = (() => {
  try {
    execFileSync('logrotate', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const cases = MATRIX.filter(
  ({ logrotate }) => logrotate !== true || hasLogrotate || process.env['CI'] === 'true',
);

/** All kinds at once: one agent with a source for each, one collector. */
class Matrix {
  readonly writers: readonly (readonly [MatrixCase, MatrixWriter])[];
  agent!: TaffrailProcess;
  collector!: TaffrailProcess;
  #address = '127.0.0.1:0';
  #agentAddress = '127.0.0.1:0';
  #done = 0;

  constructor() {
    this.writers = cases.map((one) => [one, new MatrixWriter(t.path('logs'), one)] as const);
  }

  async startCollector(): Promise<void> {
    this.collector = await t.collector({ listen: this.#address });
    this.#address = new URL(this.collector.url).host;
  }

  async startAgent(): Promise<void> {
    this.agent = await t.agent(
      {
        sources: this.writers.map(([{ name }, { paths }]) => ({
          name,
          paths,
          parser: 'raw',
          records: true,
        })),
        sinks: [
          {
            name: 'central',
            type: 'otlp',
            endpoint: `http://${this.#address}`,
            retry_initial: '20ms',
            retry_max: '200ms',
          },
        ],
        buffer: { commit_interval: '20ms' },
        listen: this.#agentAddress,
      },
      { obeysModes: true },
    );
    this.#agentAddress = new URL(this.agent.url).host;
  }

  /** Rotates all; `amid` happens when half of them are done. */
  async rotateAll(lines: number, amid: () => Promise<void>): Promise<void> {
    this.#done = 0;
    let middle: Promise<void> | undefined;
    await Promise.all(
      this.writers.map(async ([one, writer]) => {
        await one.rotate(writer, lines);
        writer.rotations++;
        if (++this.#done === Math.floor(this.writers.length / 2)) middle = amid();
      }),
    );
    await middle;
  }

  write(lines: number, which: (one: MatrixCase) => boolean = () => true): void {
    for (const [one, writer] of this.writers) if (which(one)) writer.lines(lines);
  }

  /** All that was written is read and committed. */
  async allRead(which: (one: MatrixCase) => boolean = () => true): Promise<void> {
    let missing: string[] = [];
    await until(
      async () => {
        const { sources } = await this.agent.status();
        missing = this.writers.flatMap(([one, writer]) => {
          const read = sources.find(({ name }) => name === writer.name)?.ledger.read ?? 0;
          return which(one) && read < writer.written ? [`${writer.name}: ${read} of ${writer.written}`] : [];
        });
        return missing.length === 0;
      },
      () => `all lines to be read; there are ${missing.join(', ')}`,
      WAIT_MS,
    );
  }

  async allDelivered(): Promise<void> {
    await until(
      async () =>
        Object.values((await this.agent.status()).sinks[0]!.ledger).every(({ buffered }) => buffered === 0),
      'everything to be delivered',
      WAIT_MS,
    );
  }

  /** Each line once at the collector, counters equal, ledgers in order. */
  async judge(): Promise<void> {
    await this.allRead();
    await this.allDelivered();
    const status = await this.agent.status();
    expect(status.ledger).toEqual({ holds: true, broken: [] });
    const wrong: string[] = [];
    for (const [, writer] of this.writers) {
      const { name, written } = writer;
      const counter = await this.agent.metric('log_lines_total', { source: name });
      if (counter !== written) wrong.push(`${name}: counter ${counter}, written ${written}`);
      const { missedBytes, missedUnknown } = status.sources.find((source) => source.name === name)!.ledger;
      if (JSON.stringify(missedBytes) !== '{}' || missedUnknown !== 0)
        wrong.push(`${name}: missed ${JSON.stringify(missedBytes)}, ${String(missedUnknown)} times unknown`);
      const times = await this.#stored(name);
      const lost = Array.from({ length: written }, (_, line) => line).filter((line) => !times.has(line));
      const repeated = [...times].filter(([, count]) => count > 1);
      if (lost.length > 0) wrong.push(`${name}: ${lost.length} lines lost, ${lost.slice(0, 5).join(', ')} …`);
      if (repeated.length > 0)
        wrong.push(`${name}: ${repeated.length} lines repeated, ${repeated.slice(0, 5).join('; ')} …`);
      if (times.size > written) wrong.push(`${name}: lines that were not written`);
    }
    expect(wrong).toEqual([]);
  }

  /** How often each line of a source is stored. */
  async #stored(name: string): Promise<ReadonlyMap<number, number>> {
    const times = new Map<number, number>();
    let before = '';
    do {
      const { text } = await this.collector.get(
        `/api/v1/records?label=source=${name}&limit=5000${before === '' ? '' : `&before=${before}`}`,
      );
      const { data } = JSON.parse(text) as {
        data: { records: { body: string }[]; next?: string };
      };
      for (const { body } of data.records) {
        const match = new RegExp(`^${name} (\\d{9}) is a line$`).exec(body);
        const line = match === null ? -1 : Number(match[1]);
        times.set(line, (times.get(line) ?? 0) + 1);
      }
      before = data.next ?? '';
    } while (before !== '');
    return times;
  }
}

interface Circumstance {
  readonly name: string;
  readonly before?: (matrix: Matrix) => Promise<void>;
  readonly amid?: (matrix: Matrix) => Promise<void>;
  readonly after?: (matrix: Matrix) => Promise<void>;
}

const circumstances: readonly Circumstance[] = [
  { name: 'while the agent runs' },
  {
    name: 'while the agent is stopped',
    before: async ({ agent }) => void (await agent.kill('SIGTERM')),
    after: (matrix) => matrix.startAgent(),
  },
  {
    name: 'while the agent is killed',
    amid: async ({ agent }) => void (await agent.kill('SIGKILL')),
    after: (matrix) => matrix.startAgent(),
  },
  {
    name: 'while the collector is down',
    before: async ({ collector }) => void (await collector.kill('SIGKILL')),
    after: (matrix) => matrix.startCollector(),
  },
];

test.each(circumstances)(
  'each line arrives once through every kind of rotation $name',
  async ({ before, amid, after }) => {
    const matrix = new Matrix();
    await matrix.startCollector();
    await matrix.startAgent();
    const part = Math.ceil(LINES / (ROTATIONS * 2 + 1));
    matrix.write(part);
    await matrix.allRead();
    for (let i = 0; i < ROTATIONS; i++) {
      matrix.write(Math.ceil(part / 2));
      await matrix.allRead(({ destroys, hides }) => destroys === true || hides === true);
      await before?.(matrix);
      // Unread, when it is rotated away.
      matrix.write(Math.ceil(part / 2), ({ destroys }) => destroys !== true);
      await matrix.rotateAll(part, async () => amid?.(matrix));
      await after?.(matrix);
    }
    await matrix.judge();
    for (const [, writer] of matrix.writers) writer.close();
  },
  120_000 + LINES * 20,
);
