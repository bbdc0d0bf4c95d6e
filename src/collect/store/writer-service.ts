import type { Admission, Sender } from './agent-ledger.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import { BlockFilters } from './block-filters.ts';
import { Forgetting } from './forgetting.ts';
import { Retention } from './retention.ts';
import { configureWriter, migrate } from './schema.ts';
import { type Database, inTransaction, openDatabase } from './sqlite.ts';
import { OpenFile } from './open-file.ts';
import { type StoreLoss, StoreNote, type StorePlace } from './store-note.ts';
import type { StoreWorkerData, WriterStats } from './store-protocol.ts';
import { StoreWriter } from './store-writer.ts';
import { shareOf } from '../samples/store-share.ts';
import { UpkeepJobs } from './upkeep-jobs.ts';

/** Requests that go into one transaction at most; beyond it the first would wait too long for its answer. */
const GROUP_MAX = 256;
/** As they travelled: most are a tenth of what is in them. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const NOTE_EACH_MS = 500;
const FORGET_EACH_MS = 10 * 60_000;

type Answer = (result: IngestResult) => void;

/** The writing thread: groups what arrives while a transaction runs into the next one, and tidies up in between. */
export class WriterService {
  readonly #db: Database;
  readonly #writer: StoreWriter;
  readonly #note: StoreNote;
  readonly #file: OpenFile;
  readonly #retention: Retention;
  readonly #forgetting: Forgetting;
  readonly #filters: BlockFilters;
  readonly #retentionMs: number;
  readonly #maintenanceMs: number;
  readonly #upkeep = new UpkeepJobs(['retention', 'forgetting', 'filtering']);
  #waiting: { readonly request: IngestRequest; readonly answer: Answer }[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #noteTimer: NodeJS.Timeout | undefined;
  #retentionSteps = 0;
  #commits = 0;
  #forgotAtMs = Date.now();

  constructor(data: StoreWorkerData) {
    this.#db = openDatabase(data.path, { readOnly: false });
    try {
      configureWriter(this.#db);
    } catch (cause) {
      throw new Error(`${data.path}: ${(cause as Error).message}`, { cause });
    }
    migrate(this.#db, data.path);
    this.#note = new StoreNote(data.path, this.#place(), Date.now());
    this.#file = new OpenFile(data.path);
    this.#writer = new StoreWriter(this.#db, (nowMs) => this.#note.hasLost(nowMs));
    this.#retention = new Retention(this.#db, data.retention, shareOf(data.share));
    this.#forgetting = new Forgetting(this.#db);
    this.#filters = new BlockFilters(this.#db);
    this.#retentionMs = data.retention.timeMs;
    this.#maintenanceMs = data.maintenanceMs;
    this.#schedule(this.#maintenanceMs);
  }

  ingest(request: IngestRequest, answer: Answer): void {
    this.#waiting.push({ request, answer });
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const group = this.#takeGroup();
    const message = this.#file.problem();
    const results =
      message === undefined
        ? this.#writer.ingest(group.map(({ request }) => request))
        : group.map((): IngestResult => ({ kind: 'failed', message }));
    this.#commits++;
    if (message === undefined) this.#noteSoon();
    group.forEach(({ answer }, i) => answer(results[i]!));
    if (this.#waiting.length > 0 && !this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
  }

  #takeGroup(): readonly { readonly request: IngestRequest; readonly answer: Answer }[] {
    let bytes = 0;
    let count = 0;
    for (const { request } of this.#waiting) {
      bytes += request.body.bytes.length;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count >= GROUP_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  forgetSecret(agent: string): boolean {
    return this.#writer.ledger.names.forgetSecret(agent);
  }

  heartbeat(sender: Sender, heartbeat: string, nowMs: number): Admission {
    return inTransaction(this.#db, () => this.#writer.ledger.heartbeat(sender, heartbeat, nowMs));
  }

  #noteSoon(): void {
    this.#noteTimer ??= setTimeout(() => {
      this.#noteTimer = undefined;
      this.#note.write(this.#place());
    }, NOTE_EACH_MS).unref();
  }

  loss(): StoreLoss | undefined {
    return this.#note.loss;
  }

  #place(): StorePlace {
    const { commits, at_ms: atMs } = this.#db.prepare('SELECT commits, at_ms FROM progress').get() as {
      readonly commits: number;
      readonly at_ms: number;
    };
    return { store: this.storeId(), commits, atMs };
  }

  storeId(): string {
    return (this.#db.prepare('SELECT id FROM store_id').get() as { readonly id: string }).id;
  }

  stats(): WriterStats {
    return {
      bytes: this.#retention.usedBytes(),
      retentionSteps: this.#retentionSteps,
      commits: this.#commits,
      upkeep: this.#upkeep.status(),
    };
  }

  /** Deletes until nothing is left to do. */
  maintain(nowMs: number): void {
    while (this.#retention.step(nowMs)) this.#retentionSteps++;
    while (this.#forgetting.step(nowMs - this.#retentionMs));
    while (this.#filters.step());
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => this.#maintainStep(), ms);
  }

  /** One step of each job, then a pause in which ingest has its turn. A step that fails is tried again after a longer one. */
  #maintainStep(): void {
    const now = Date.now();
    const deleted = this.#upkeep.step('retention', now, () => this.#retention.step(now));
    if (deleted) this.#retentionSteps++;
    let more = deleted;
    if (!more && now - this.#forgotAtMs > FORGET_EACH_MS) {
      more = this.#upkeep.step('forgetting', now, () => this.#forgetting.step(now - this.#retentionMs));
      if (!more) this.#forgotAtMs = now;
    }
    more = this.#upkeep.step('filtering', now, () => this.#filters.step()) || more;
    this.#schedule(more ? 20 : this.#maintenanceMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#noteTimer);
    while (this.#waiting.length > 0) this.#flush();
    this.#note.write(this.#place());
    this.#db.exec('PRAGMA optimize');
    this.#db.close();
  }
}
