import { readMetrics, readStatus, sumFor } from './agent-view.ts';
import { getJson, mustGetJson, sleep } from './http-get.ts';
import { HEADER, type LogWriter } from './log-writer.ts';
import type { Received } from './plain-receiver.ts';
import type { RunPlan } from './plan.ts';

const SHOWN = 5;
const SAMPLE_WAIT_MS = 6_000;

export function sourceName(run: string, writer: LogWriter): string {
  return `${run}-${writer.plan.name}`;
}

/** What the agent says at the end, held against what was written. */
export async function judgeAgent(
  url: string,
  plan: RunPlan,
  run: string,
  writers: readonly LogWriter[],
): Promise<string[]> {
  const wrong: string[] = [];
  const metrics = await readMetrics(url);
  const expect = (what: string, got: number, wanted: number): void => {
    if (got !== wanted) wrong.push(`${what}: ${got}, but ${wanted} is right (${got - wanted})`);
  };
  for (const writer of writers) {
    const source = sourceName(run, writer);
    expect(
      `agent: lines of ${source}`,
      sumFor(metrics.get('taffrail_source_lines_total'), source),
      writer.lines,
    );
    for (const [name, wanted] of expectedCounters(plan, writer)) {
      expect(`agent: ${name} of ${source}`, sumFor(metrics.get(name), source), wanted);
    }
    if (plan.buffer.whenFull === 'block')
      expect(
        `agent: lines of ${source} lost`,
        sumFor(metrics.get('taffrail_source_lost_lines_total'), source),
        0,
      );
    expect(
      `agent: bytes of ${source} missed`,
      sumFor(metrics.get('taffrail_source_missed_bytes_total'), source),
      0,
    );
  }
  expect('agent: taffrail_ledger_holds', metrics.get('taffrail_ledger_holds')?.[0]?.value ?? -1, 1);
  const status = await readStatus(url);
  if (status === undefined) wrong.push('agent: /status does not answer');
  else if (!status.ledger.holds)
    wrong.push(`agent: the ledger does not hold: ${status.ledger.broken.join('; ')}`);
  return wrong;
}

/** Lines that the agent says were given up, by source. */
export async function dropped(url: string): Promise<ReadonlyMap<string, number>> {
  const lost = new Map<string, number>();
  for (const sink of (await readStatus(url))?.sinks ?? []) {
    for (const [source, fate] of Object.entries(sink.ledger)) {
      lost.set(
        source,
        Object.values(fate.lost).reduce((sum, lines) => sum + lines, 0),
      );
    }
  }
  return lost;
}

function expectedCounters(plan: RunPlan, writer: LogWriter): readonly (readonly [string, number])[] {
  if (plan.pack === 'raw') return [['log_lines_total', writer.lines]];
  const { size } = writer.events;
  return [
    ['seq_events_total', size],
    ['seq_numbers_total', (size * (size - 1)) / 2],
  ];
}

/** Each event exactly once, with the body it was written with. */
export function judgeRecords(
  records: readonly Received[],
  run: string,
  writers: readonly LogWriter[],
  lost: ReadonlyMap<string, number>,
): string[] {
  const bySource = new Map<string, string[]>();
  for (const { source, body } of records) {
    const bodies = bySource.get(source);
    if (bodies === undefined) bySource.set(source, [body]);
    else bodies.push(body);
  }
  return writers.flatMap((writer) => {
    const source = sourceName(run, writer);
    return judgeSource(source, bySource.get(source) ?? [], writer, lost.get(source) ?? 0);
  });
}

function judgeSource(
  source: string,
  bodies: readonly string[],
  writer: LogWriter,
  lostLines: number,
): string[] {
  const wrong: string[] = [];
  const seen = new Map<number, number>();
  const strange: string[] = [];
  let headers = 0;
  for (const body of bodies) {
    const number = Number(/^w\d+ (\d+) /.exec(body)?.[1] ?? -1);
    if (body === HEADER) headers++;
    else if (writer.events.get(number) !== body) strange.push(body);
    else seen.set(number, (seen.get(number) ?? 0) + 1);
  }
  const missing = [...writer.events.keys()].filter((number) => !seen.has(number));
  const twice = [...seen].filter(([, times]) => times > 1).map(([number]) => number);
  const missingLines =
    missing.reduce((sum, number) => sum + writer.events.get(number)!.split('\n').length, 0) +
    Math.max(0, writer.headers - headers);
  // What was under way when it was given up may have arrived all the same: the loss is never told too small.
  if (missingLines > lostLines || (lostLines === 0 && missingLines !== 0))
    wrong.push(
      `records of ${source}: ${missing.length} missing${ranges(missing)}, of ${lostLines} lines said to be lost`,
    );
  if (twice.length > 0) wrong.push(`records of ${source}: ${twice.length} more than once${ranges(twice)}`);
  if (headers > writer.headers)
    wrong.push(`records of ${source}: ${headers} headers, ${writer.headers} written`);
  if (strange.length > 0)
    wrong.push(
      `records of ${source}: ${strange.length} never written: ${JSON.stringify(strange.slice(0, SHOWN))}`,
    );
  return wrong;
}

function ranges(numbers: readonly number[]): string {
  if (numbers.length === 0) return '';
  const found: string[] = [];
  let from = numbers[0]!;
  let to = from;
  for (const number of [...numbers.toSorted((a, b) => a - b).slice(1), Infinity]) {
    if (number === to + 1) to = number;
    else {
      found.push(from === to ? `${from}` : `${from}-${to}`);
      from = to = number;
    }
  }
  return ` (${found.slice(0, SHOWN).join(', ')}${found.length > SHOWN ? ', …' : ''})`;
}

interface Page {
  readonly data: {
    readonly records: readonly {
      readonly body: string;
      readonly resource: Readonly<Record<string, string>>;
    }[];
    readonly next?: string;
  };
}

export async function recordsAt(collector: string, source: string): Promise<Received[]> {
  const records: Received[] = [];
  let before = '';
  for (;;) {
    const query = new URLSearchParams({
      label: `taffrail.source=${source}`,
      limit: '5000',
      ...(before && { before }),
    });
    const page = await mustGetJson<Page>(`${collector}/api/v1/records?${query.toString()}`);
    records.push(...page.data.records.map(({ body }) => ({ source, body })));
    if (page.data.next === undefined) return records;
    before = page.data.next;
  }
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function query(collector: string, expr: string): Promise<number> {
  const answer = await getJson<QueryAnswer>(
    `${collector}/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`,
  );
  return Number(answer?.data.result[0]?.value[1] ?? Number.NaN);
}

interface FleetAnswer {
  readonly data: {
    readonly agents: readonly {
      readonly agent: string;
      readonly difference: number | null;
      readonly conflicts: number;
      readonly ledger: readonly { readonly source: string; readonly storedTotal: number }[];
    }[];
  };
}

/** Counters arrive with the next sample. False where they do not come to what is right. */
export async function countersArrive(
  collector: string,
  plan: RunPlan,
  run: string,
  writers: readonly LogWriter[],
): Promise<boolean> {
  const deadline = performance.now() + SAMPLE_WAIT_MS;
  while (performance.now() < deadline) {
    const right = await Promise.all(
      writers.flatMap((writer) =>
        expectedCounters(plan, writer).map(async ([name, wanted]) => {
          const got = await query(collector, `sum(${name}{source="${sourceName(run, writer)}"})`);
          return got === wanted;
        }),
      ),
    );
    if (right.every(Boolean)) return true;
    await sleep(60);
  }
  return false;
}

/** What the collector's query interface says at the end. */
export async function judgeCollector(
  collector: string,
  plan: RunPlan,
  run: string,
  writers: readonly LogWriter[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const writer of writers) {
    const source = sourceName(run, writer);
    for (const [name, wanted] of expectedCounters(plan, writer)) {
      const got = await query(collector, `sum(${name}{source="${source}"})`);
      if (got !== wanted && !(wanted === 0 && Number.isNaN(got)))
        wrong.push(`collector: ${name} of ${source} is ${got}, but ${wanted} is right`);
      const resets = await query(collector, `sum(resets(${name}{source="${source}"}[1h]))`);
      if (resets > 0) wrong.push(`collector: ${name} of ${source} went back ${resets} times`);
    }
  }
  const fleet = await getJson<FleetAnswer>(`${collector}/api/v1/agents`);
  for (const agent of fleet?.data.agents ?? []) {
    if (!agent.ledger.some(({ source }) => source.startsWith(`${run}-`))) continue;
    if ((agent.difference ?? 0) !== 0 && plan.buffer.whenFull === 'block')
      wrong.push(`collector: fleet difference ${agent.difference}`);
    if (agent.conflicts > 0) wrong.push(`collector: ${agent.conflicts} identity conflicts`);
  }
  return wrong;
}
