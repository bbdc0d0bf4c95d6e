import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HttpError } from '../../platform/http-error.ts';
import { ArenaFull } from '../../samples/arena.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { type MetricMetadata, readLog } from '../../samples/log-codec.ts';
import { FRESH, RequestSamples } from '../../samples/request-samples.ts';
import { SampleHead } from '../../samples/sample-head.ts';
import { WireError } from '../../wire/wire-error.ts';
import { AgentNames, type Refusal } from '../store/agent-names.ts';
import { checkSpeakers } from '../store/check-speakers.ts';
import type { IngestRequest, IngestResult } from '../store/ingest-request.ts';
import type { Speaker } from '../store/speaker.ts';
import { type Database, openDatabase } from '../store/sqlite.ts';
import { UpkeepJobs } from '../store/upkeep-jobs.ts';
import { BlockKeeper } from './block-keeper.ts';
import { CarryOver } from './carry-over.ts';
import { OldSamples } from './old-samples.ts';
import { GroupCommit } from './group-commit.ts';
import { HeadLog, replayLog } from './head-log.ts';
import type { HeadOpening, HeadStats, HeadThreadData } from './head-protocol.ts';
import { loadSnapshot } from './head-snapshot.ts';
import { HeadUpkeep } from './head-upkeep.ts';
import { RequestReader, speakersOfSeries } from './read-request.ts';
import { shareOf } from './store-share.ts';

/** Between two steps of upkeep, for others. */
const PAUSE_MS = 20;

const NOTHING_STORED: IngestResult = { kind: 'stored', records: 0, samples: 0, rejected: 0, message: '' };

const giveWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a crash left of files that were being written. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith('.tmp')) rmSync(join(folder, name), { force: true });
}

/** The thread that owns the head: takes samples, keeps the log, makes blocks and snapshots. */
export class HeadService {
  readonly #data: HeadThreadData;
  readonly #head: SampleHead;
  readonly #log: HeadLog;
  readonly #commit: GroupCommit;
  readonly #blocks: BlockKeeper;
  readonly #upkeep: HeadUpkeep;
  readonly #carryOver: CarryOver;
  readonly #reader: RequestReader;
  readonly #request = new RequestSamples();
  readonly #warnings: string[];
  readonly #db: Database;
  readonly #names: AgentNames;
  readonly #jobs = new UpkeepJobs(['packing']);
  #isClosing = false;
  #timer: NodeJS.Timeout | undefined;
  #maintaining: Promise<void> = Promise.resolve();

  /** Reads what there is. Throws an Error with a sentence for the user. */
  constructor(data: HeadThreadData) {
    this.#data = data;
    const { folder } = data;
    this.#db = openDatabase(data.storePath, { readOnly: false });
    this.#names = new AgentNames(this.#db);
    removeUnfinished(folder);
    const loaded = loadSnapshot(folder, () => new SampleHead(data.limits));
    this.#head = loaded.head;
    this.#blocks = new BlockKeeper(folder, this.#head, giveWay);
    if (loaded.number === 0 || loaded.damaged.length > 0) this.#blocks.recoverSeries();
    this.#warnings = loaded.damaged.map(
      (path) => `${path} is damaged; samples since the last block may be missing`,
    );
    this.#replay(loaded.number);
    this.#log = HeadLog.open(folder, loaded.number);
    this.#commit = new GroupCommit(this.#head.log, this.#log);
    this.#reader = new RequestReader(this.#head.generations);
    this.#upkeep = new HeadUpkeep(
      {
        folder,
        head: this.#head,
        log: this.#log,
        commit: this.#commit,
        blocks: this.#blocks,
        retention: data.retention,
        share: shareOf(data.share),
        giveWay,
      },
      Date.now(),
    );
    for (const name of this.#blocks.damaged) this.#warnings.push(`the block ${name} is damaged and left out`);
    this.#carryOver = new CarryOver({
      old: new OldSamples(this.#db),
      head: this.#head,
      writeBlock: (window, series) => this.#blocks.write(window, series),
      commit: () => this.#committed(),
      snapshot: () => this.#upkeep.snapshot(),
      giveWay,
    });
  }

  #replay(from: number): void {
    const { replay } = this.#head;
    let unread = 0;
    const { damaged } = replayLog(this.#data.folder, from, (group) => {
      try {
        readLog(group, replay);
      } catch (error) {
        if (!(error instanceof DamagedBytes)) throw error;
        unread++;
      }
    });
    if (damaged + unread > 0)
      this.#warnings.push(`${damaged + unread} groups of samples in the log are damaged and left out`);
  }

  /** Answers when what is most needed of an older store's samples is here. */
  async open(): Promise<HeadOpening> {
    this.#upkeep.keepSeries = this.#carryOver.isPending;
    if (this.#upkeep.keepSeries) await this.#exclusively(() => this.#carryOver.begin());
    this.#schedule();
    return { buffers: this.#head.buffers, warnings: this.#warnings };
  }

  ingest(request: IngestRequest, answer: (result: IngestResult) => void): void {
    if (!this.#commit.isFailing) {
      this.#commit.answer(this.#take(request), answer);
      return;
    }
    // First what could not be written; while it cannot, nothing more is taken.
    const after = (written: IngestResult): void =>
      written.kind === 'failed' ? answer(written) : this.#commit.answer(this.#take(request), answer);
    this.#commit.answer(NOTHING_STORED, after);
  }

  #take(request: IngestRequest): IngestResult {
    try {
      const said = this.#reader.read(request, this.#request);
      const refusal = this.#refusal(request, said);
      if (refusal !== undefined) return refusal;
      return { kind: 'stored', records: 0, ...this.#head.take(this.#request) };
    } catch (error) {
      if (error instanceof HttpError)
        return { kind: 'refused', status: error.status, message: error.message };
      if (error instanceof WireError) return { kind: 'invalid', message: error.message };
      if (error instanceof ArenaFull)
        return { kind: 'failed', message: 'recent samples take all of the memory that they may have' };
      return {
        kind: 'failed',
        message: `internal error while reading the request: ${(error as Error).message}`,
      };
    }
  }

  /** Labels of series are not believed to name an agent, where the token does not demand it: they may be about one. */
  #refusal(request: IngestRequest, said: readonly Speaker[]): Refusal | undefined {
    if (request.kind !== 'remote_write') return checkSpeakers(this.#names, request, said, false);
    if (request.agents === undefined) return undefined;
    const { sids, count, fresh } = this.#request;
    const known = new Set(sids.subarray(0, count).filter((sid) => sid < FRESH));
    const series = [
      ...[...known].map((sid) => this.#head.table.pairs(sid)),
      ...fresh.map(({ pairs }) => pairs),
    ];
    return checkSpeakers(this.#names, request, speakersOfSeries(series), false);
  }

  metadata(): MetricMetadata[] {
    return [...this.#head.metadata.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stats(): HeadStats {
    return {
      bytes: this.#upkeep.usedBytes,
      series: this.#head.table.count,
      commits: this.#commit.commits,
      blockSteps: this.#upkeep.steps,
      blocks: this.#blocks.count,
      headBytes: this.#head.head.chunks.arena.usedBytes,
      upkeep: this.#jobs.status(),
    };
  }

  /** Does all that is due, or would be soon. */
  maintain(nowMs: number): Promise<void> {
    return this.#exclusively(async () => {
      while (await this.#step(nowMs, true));
    });
  }

  async #step(nowMs: number, eager: boolean): Promise<boolean> {
    if (!this.#upkeep.keepSeries) return this.#upkeep.step(nowMs, eager);
    this.#upkeep.keepSeries = await this.#carryOver.step();
    return true;
  }

  /** Resolves when all that is in the head is in the log too; rejects where it cannot be written. */
  #committed(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#commit.answer(NOTHING_STORED, (result) =>
        result.kind === 'failed' ? reject(new Error(result.message)) : resolve(),
      ),
    );
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#maintaining.then(work);
    this.#maintaining = done.catch(() => undefined);
    return done;
  }

  #schedule(afterMs = this.#data.maintenanceMs): void {
    this.#timer = setTimeout(() => {
      let more = false;
      const step = this.#exclusively(async () => {
        const now = Date.now();
        more = await this.#jobs.asyncStep('packing', now, () => this.#step(now, false));
      });
      void step.then(() => {
        if (!this.#isClosing) this.#schedule(more ? PAUSE_MS : undefined);
      });
    }, afterMs);
  }

  /** What was accepted is durable before it resolves; a start reads a snapshot and not the log. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    await this.#committed().catch(() => undefined);
    await this.#exclusively(() => this.#upkeep.snapshot()).catch(() => undefined);
    await this.#commit.run(() => this.#log.close());
    this.#db.close();
  }
}
