import { describe, expect, test } from 'vitest';
import { CursorProgress } from '../../src/buffer/cursor-progress.ts';

const START = { at: 0, batch: 1, delivered: {}, records: {}, lost: {}, aside: {}, twice: {} };

function lines(count: number): Map<string, number> {
  return new Map([['web', count]]);
}

function outcome(count: number) {
  return { delivered: lines(count), lost: new Map() };
}

function dropped(seq: number, count = 1) {
  return { seq, nextBatch: seq + 1, lines: { owed: lines(count), records: lines(count) } };
}

describe('CursorProgress', () => {
  test('dropping counts what was neither taken nor settled, and keeps the outcome of what was', () => {
    const progress = new CursorProgress(START);
    for (const seq of [1, 2, 3]) progress.take(seq, seq + 1, lines(1));
    progress.settle(2, outcome(1));
    progress.drop(
      [1, 2, 3, 4].map((seq) => dropped(seq)),
      4,
      'buffer_full',
    );
    // 1 and 3 are under way and may arrive; 4 cannot any more.
    expect([progress.at, progress.inDoubt]).toEqual([4, 2]);
    expect(progress.delivered.get('web')).toBe(1);
    expect(progress.lost.get('web')?.get('buffer_full')).toBe(1);
    expect(progress.batch).toBe(START.batch);
    // A crash now would leave nobody to learn of them.
    expect(progress.state().lost['web']).toEqual({ buffer_full: 3 });

    progress.settle(1, outcome(1));
    progress.settle(3, outcome(1));
    expect([progress.at, progress.batch, progress.inDoubt]).toEqual([4, 5, 0]);
    expect(progress.delivered.get('web')).toBe(3);
    expect(progress.lost.get('web')?.get('buffer_full')).toBe(1);
  });

  test('what was dropped under way is lost when its sink goes', () => {
    const progress = new CursorProgress(START);
    progress.take(1, 2, lines(5));
    progress.drop([dropped(1)], 1, 'buffer_full');
    progress.giveBack();
    expect(progress.inDoubt).toBe(0);
    expect(progress.lost.get('web')?.get('buffer_full')).toBe(1);
  });

  test('of what was dropped and then stopped under way, the part that arrived is delivered', () => {
    const progress = new CursorProgress(START);
    progress.take(1, 2, lines(5));
    progress.take(2, 3, lines(4));
    progress.drop([dropped(1, 5)], 1, 'buffer_full');
    expect(progress.stopped(1, { ...outcome(3), records: lines(3) })).toBe(true);
    // That one comes again.
    expect(progress.stopped(2, outcome(1))).toBe(false);
    progress.giveBack();
    expect([progress.inDoubt, progress.at, progress.batch]).toEqual([0, 1, 2]);
    expect(progress.delivered.get('web')).toBe(3);
    expect(progress.records.get('web')).toBe(3);
    expect(progress.lost.get('web')).toEqual(new Map([['buffer_full', 2]]));
    expect(progress.passed.get('web')).toBe(5);
  });

  test('an entry that was taken and is unreadable by now goes by its own account', () => {
    const progress = new CursorProgress(START);
    progress.take(1, 2, lines(5));
    progress.take(2, 3, lines(1));
    progress.drop([dropped(2)], 2, 'buffer_full');
    expect(progress.at).toBe(2);
    expect(progress.state().lost['web']).toEqual({ buffer_full: 6 });
    progress.take(3, 4, lines(1));
    progress.settle(1, outcome(5));
    progress.settle(3, outcome(1));
    expect(progress.at).toBe(3);
    expect(progress.delivered.get('web')).toBe(6);
  });

  test('what is in doubt is not missing', () => {
    const progress = new CursorProgress(START);
    progress.take(1, 2, lines(5));
    progress.drop([dropped(1, 5)], 1, 'buffer_full');
    expect(progress.reconcile(lines(7), 'buffer_damaged')).toBe(false);
    progress.settle(1, outcome(5));
    expect(progress.reconcile(lines(7), 'buffer_damaged')).toBe(true);
    expect(progress.passed.get('web')).toBe(7);
    expect(progress.lost.get('web')).toEqual(new Map([['buffer_damaged', 2]]));
  });

  test('dropping up to somewhere leaves what was taken beyond it', () => {
    const progress = new CursorProgress(START);
    for (const seq of [1, 2, 3]) progress.take(seq, seq + 1, lines(1));
    progress.settle(3, outcome(1));
    progress.drop([dropped(1)], 1, 'buffer_full');
    expect(progress.at).toBe(1);
    progress.settle(2, outcome(1));
    expect(progress.at).toBe(3);
    expect(progress.delivered.get('web')).toBe(2);
  });
});
