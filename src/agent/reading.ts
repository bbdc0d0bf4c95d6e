import { availableParallelism } from 'node:os';
import type { Buffer } from '../buffer/buffer.ts';
import { Committer } from '../buffer/committer.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { Tailer } from '../tail/tailer.ts';
import { commitLimits } from './commit-limits.ts';
import type { DurableState } from './durable-state.ts';
import { committedLag } from './committed-lag.ts';
import { Lanes } from './lanes.ts';
import type { AgentPlan } from './load-plan.ts';
import type { FileStatus, WatchStatus } from '../model/status.ts';
import { Pipeline } from './pipeline.ts';
import type { SourceNotes } from './source-notes.ts';

export interface ReadingOptions {
  readonly buffer: Buffer;
  readonly state: DurableState;
  readonly notes: SourceNotes;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * From files to commits: the tailer and the committer, which last, and between them lanes and a pipeline, which are
 * made anew for each plan.
 */
export class Reading {
  readonly #options: ReadingOptions;
  readonly #tailer: Tailer;
  readonly #committer: Committer;
  #lanes: Lanes;
  #pipeline: Pipeline;
  #paused = false;

  constructor(plan: AgentPlan, options: ReadingOptions) {
    const { buffer, state, clock, log } = options;
    const limits = commitLimits(plan.config.buffer);
    this.#options = options;
    this.#committer = new Committer({
      buffer,
      clock,
      intervalMs: plan.config.buffer.commit_interval,
      maxBytes: limits.commit,
    });
    this.#tailer = new Tailer({
      sources: plan.sources,
      positions: state.positions,
      nextStream: state.nextStream,
      chunkBytes: limits.chunk,
      clock,
      log,
      onNotice: () => this.#pipeline.addNotices(),
    });
    this.#lanes = this.#lanesFor(plan);
    this.#pipeline = this.#pipelineFor(plan);
  }

  async start(): Promise<void> {
    await this.#tailer.start();
    this.#pipeline.start();
  }

  /** Reads nothing until `resume`. A full buffer is not waited for: it may be this very change that makes it drain. */
  async change(plan: AgentPlan): Promise<void> {
    await this.#tailer.updateSources(plan.sources, async () => {
      this.#paused = true;
      await this.#pipeline.pause();
      await this.#lanes.close();
      this.#options.notes.forgetPatterns();
      this.#lanes = this.#lanesFor(plan);
      this.#pipeline = this.#pipelineFor(plan);
    });
  }

  resume(): void {
    this.#paused = false;
    this.#pipeline.start();
  }

  /** For those who watch that it goes on. */
  parts(): readonly PartState[] {
    return this.#tailer.parts(this.#pauseReason());
  }

  /** Why nothing is read for now. A reload that does not end is found by itself. */
  #pauseReason(): string | undefined {
    if (this.#paused) return 'a reload is under way';
    const { fullReason } = this.#options.buffer.stats();
    if (fullReason === undefined || this.#committer.hasRoom) return undefined;
    return fullReason === 'disk' ? 'the disk of state_dir is full or failing' : 'the buffer is full';
  }

  /** Resolves when the files of changed sources have been looked for. */
  async lookedFor(): Promise<void> {
    await this.#tailer.lookAtAll();
  }

  /** What was taken so far is committed. */
  async flush(): Promise<void> {
    await this.#committer.flush();
  }

  /** Reads nothing more; what was taken is committed. */
  async finish(): Promise<void> {
    await this.#pipeline.stop();
  }

  async close(): Promise<void> {
    // A file stays open while a thread reads from it.
    await Promise.all([this.#lanes.close(), this.#tailer.stop()]);
  }

  get watching(): WatchStatus {
    return this.#tailer.watching;
  }

  files(): readonly FileStatus[] {
    return committedLag(this.#tailer.status(), this.#options.state);
  }

  #lanesFor(plan: AgentPlan): Lanes {
    const { notes, log } = this.#options;
    const { workers } = plan.config;
    const beside = workers === 'auto' ? Math.min(4, availableParallelism() - 1) : workers;
    return new Lanes({
      plans: plan.scanners,
      workers: beside,
      recordWorkers: workers === 'auto' ? Math.max(0, beside - 1) : workers,
      log,
      onNews: (news) => {
        const { source, reason } = news;
        if (news.kind === 'line_by_line') {
          log.error({ source, reason }, 'the fast way over lines failed, which is a bug; they go one by one');
          return;
        }
        if (news.kind === 'scan_failed') {
          this.#noteScanFailure(source, reason);
          return;
        }
        notes.notePatternOut(source, news.pattern, reason);
        log.error(
          { source, pattern: news.pattern, reason },
          'a pattern is out of service; its lines count as unmatched',
        );
      },
    });
  }

  #noteScanFailure(source: string, reason: string): void {
    const { notes, log } = this.#options;
    if (!notes.noteScanFailure(source, reason)) return;
    log.error(
      { source, reason },
      'lines cannot be scanned, which is a bug; they count as filtered by scan_failed',
    );
  }

  #pipelineFor(plan: AgentPlan): Pipeline {
    const { notes, log } = this.#options;
    const labels = new Map(plan.config.sources.map((source) => [source.name, source.labels]));
    return new Pipeline(
      {
        tailer: this.#tailer,
        committer: this.#committer,
        log,
        labelsOf: (source) => labels.get(source) ?? {},
        onUnmatched: notes.noteUnmatched,
        onScanFailed: (source, reason) => this.#noteScanFailure(source, reason),
      },
      this.#lanes,
    );
  }
}
