import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { Buffer as EntryBuffer } from '../../src/buffer/buffer.ts';
import { block, collect, options, segmentFiles, slice, tempDir } from './fixtures.ts';

/**
 * What a crash may do: the entry being written is on disk in part or not at all; everything acknowledged is whole.
 * After each one the buffer must hold exactly what was acknowledged, and number on.
 */
type Step =
  | { readonly kind: 'append'; readonly bytes: number }
  | { readonly kind: 'crash'; readonly torn: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'settle'; readonly count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 3000 }).map((bytes): Step => ({ kind: 'append', bytes })) },
  { weight: 2, arbitrary: fc.nat({ max: 400 }).map((torn): Step => ({ kind: 'crash', torn })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'snapshot' }) },
  { weight: 2, arbitrary: fc.nat({ max: 6 }).map((count): Step => ({ kind: 'settle', count })) },
);

describe('Buffer under appends, crashes, snapshots and deliveries', () => {
  test('holds what was acknowledged, in order, once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = await World.start(tempDir());
        for (const each of steps) await world.take(each);
        await world.crash(0);
        await world.stop();
      }),
      { numRuns: 60 },
    );
  });
});

class World {
  readonly #dir: string;
  #buffer!: EntryBuffer;
  /** Acknowledged entries: the length of each one's record block. */
  readonly #acknowledged: number[] = [];
  #snapshot = 0;
  #settled = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async start(dir: string): Promise<World> {
    const world = new World(dir);
    world.#buffer = (await EntryBuffer.open(options(dir, { segmentBytes: 6000, recentBytes: 4000 }))).buffer;
    await world.#buffer.cursor('sink');
    return world;
  }

  async take(each: Step): Promise<void> {
    switch (each.kind) {
      case 'append': {
        const slices = [slice({ records: [block(1, each.bytes)] })];
        const entry = await this.#buffer.append({ kind: 'commit', timeMs: 1, slices });
        this.#acknowledged.push(each.bytes);
        expect(entry.seq).toBe(this.#acknowledged.length);
        return;
      }
      case 'snapshot':
        this.#snapshot = this.#acknowledged.length;
        await this.#buffer.snapshot({ seq: this.#snapshot });
        return;
      case 'settle':
        return this.#settle(each.count);
      case 'crash':
        return this.crash(each.torn);
    }
  }

  async crash(torn: number): Promise<void> {
    await this.#buffer.close();
    const last = segmentFiles(this.#dir).at(-1);
    if (last !== undefined && torn > 0)
      fs.appendFileSync(
        last,
        fs
          .readFileSync(last)
          .subarray(24, 24 + torn)
          .subarray(0, -1),
      );
    const opened = await EntryBuffer.open(options(this.#dir, { segmentBytes: 6000, recentBytes: 4000 }));
    this.#buffer = opened.buffer;
    expect(opened.snapshot?.seq ?? 0).toBe(this.#snapshot);
    const replayed = await collect(opened.replay);
    expect(replayed.map((entry) => entry.seq)).toEqual(this.#numbersAfter(this.#snapshot));
    for (const entry of replayed) this.#expectContent(entry);
    const cursor = await this.#buffer.cursor('sink');
    expect(cursor.settledThrough).toBe(this.#settled);
  }

  async stop(): Promise<void> {
    await this.#buffer.close();
  }

  async #settle(count: number): Promise<void> {
    const cursor = await this.#buffer.cursor('sink');
    for (let i = 0; i < Math.min(count, this.#acknowledged.length - this.#settled); i++) {
      const entry = (await cursor.take(new AbortController().signal))!;
      expect(entry.seq).toBe(cursor.settledThrough + 1);
      this.#expectContent(entry);
      cursor.settle(entry.seq, { delivered: new Map([['web', 1]]), lost: new Map() });
    }
    this.#settled = cursor.settledThrough;
    expect(cursor.delivered.get('web') ?? 0).toBe(this.#settled);
  }

  #expectContent(entry: Awaited<ReturnType<EntryBuffer['append']>>): void {
    if (entry.kind !== 'commit') throw new Error('only commits were written');
    expect(entry.slices[0]!.records[0]!.bytes.length).toBe(this.#acknowledged[entry.seq - 1]);
    expect(entry.batches.map((batch) => batch.number)).toEqual([entry.seq]);
  }

  #numbersAfter(seq: number): number[] {
    return this.#acknowledged.map((_, index) => index + 1).filter((each) => each > seq);
  }
}
