import type { Entry } from '../model/entry.ts';
import { outcomeOf, recordsBySource, type RecordShare } from '../model/outcome.ts';
import type { Sink, SinkStatus } from '../model/sink.ts';
import { DeliveryStatus } from './delivery-status.ts';
import { EntryLoop, type Plan, type Task } from './entry-loop.ts';
import { fullJitter } from './full-jitter.ts';
import { jsonLines, type JsonLinesOptions } from './json-lines.ts';
import { asMetricsOnly, NOTHING_OWED } from './plain-outcomes.ts';
import type { SinkContext } from './sink-context.ts';
import { sleep } from './sleep.ts';
import { StepGuard } from './step-guard.ts';

/** Where lines go. */
export interface LineOutput {
  readonly type: 'stdout' | 'file';
  /** All of it is taken, for good, when it resolves; after an error none of it. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

const BACKOFF = { initialMs: 200, maxMs: 10_000 };
const MAX_BYTES = 4 << 20;

/** Writes entries as JSON lines, in order. An output that fails is tried again until it takes them. */
export class LineSink implements Sink {
  readonly name: string;
  readonly #output: LineOutput;
  readonly #what: JsonLinesOptions;
  readonly #context: SinkContext;
  readonly #status: DeliveryStatus;
  readonly #loop: EntryLoop;

  constructor(
    config: JsonLinesOptions & { readonly name: string },
    output: LineOutput,
    context: SinkContext,
  ) {
    this.name = config.name;
    this.#output = output;
    this.#what = config;
    this.#context = context;
    this.#status = new DeliveryStatus(config.name, output.type, context.clock);
    this.#loop = new EntryLoop({
      cursor: context.cursor,
      guard: new StepGuard({ ...context, sink: config.name, status: this.#status }),
      concurrency: 1,
      maxBytes: MAX_BYTES,
      plan: (entry) => this.#plan(entry),
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.#loop.stop(deadlineMs);
    await this.#output.close();
  }

  status(): SinkStatus {
    return this.#status.read();
  }

  #plan(entry: Entry): Plan {
    if (entry.kind === 'commit' && !this.#what.logs)
      return { tasks: [], outcome: () => asMetricsOnly(entry) };
    const given: RecordShare[] = [];
    return {
      tasks: [this.#task(entry, given)],
      outcome: () => (entry.kind === 'commit' ? outcomeOf(entry, given) : NOTHING_OWED),
    };
  }

  #task(entry: Entry, given: RecordShare[]): Task {
    return {
      bytes: entry.kind === 'samples' ? entry.otlp.length : entry.batches.length << 20,
      ordered: true,
      run: async (giveUp) => {
        const { text, records } = this.#lines(entry, given);
        if (text === '') return true;
        const done = await this.#write(text, giveUp);
        if (done) this.#status.recordsDelivered += records;
        return done;
      },
    };
  }

  /** What cannot be decoded is a mistake of ours: it must not hold up what follows. */
  #lines(entry: Entry, given: RecordShare[]): ReturnType<typeof jsonLines> {
    try {
      return jsonLines(entry, this.#what);
    } catch (error) {
      this.#status.rejectedBatches++;
      const fields = { sink: this.name, error: String(error) };
      this.#context.log.error(fields, `entry ${entry.seq} cannot be decoded; it is given up`);
      if (entry.kind === 'commit') {
        for (const batch of entry.batches)
          given.push({ records: recordsBySource(batch), fate: { kind: 'lost' } });
      }
      return { text: '', records: 0 };
    }
  }

  async #write(text: string, giveUp: AbortSignal): Promise<boolean> {
    const { clock, log, random = Math.random } = this.#context;
    for (let attempt = 1; !giveUp.aborted || attempt === 1; attempt++) {
      if (attempt > 1) this.#status.retries++;
      this.#status.requests++;
      try {
        await this.#output.write(text);
        this.#status.bytesSent += Buffer.byteLength(text);
        if (this.#status.succeeded()) log.info({ sink: this.name }, 'sink writes again');
        return true;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (this.#status.failed(message))
          log.warn({ sink: this.name, error: message }, 'sink cannot write; tried again until it can');
        await sleep(clock, fullJitter(attempt, BACKOFF, random), giveUp);
      }
    }
    return false;
  }
}
