import { expect, test } from 'vitest';
import { Snapshots } from '../../src/agent/snapshots.ts';
import type { Buffer } from '../../src/buffer/buffer.ts';
import { silentLog } from '../../src/platform/log.ts';

function slowSnapshots() {
  let seq = 0;
  const begun: { readonly seq: number; done(): void; fail(error: Error): void }[] = [];
  const buffer = {
    closed: false,
    snapshot: (state: { seq: number }) =>
      new Promise<boolean>((resolve, reject) =>
        begun.push({ seq: state.seq, done: () => resolve(true), fail: reject }),
      ),
  } as unknown as Pick<Buffer, 'snapshot' | 'closed'>;
  const state = { snapshot: () => ({ seq, registry: '', positions: [], nextStream: 1, ledger: {} }) };
  return {
    begun,
    snapshots: new Snapshots(buffer, state, silentLog),
    move: (to: number) => (seq = to),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('who asks while one is being written gets another, with the state of after his asking', async () => {
  const { begun, snapshots, move } = slowSnapshots();
  move(1);
  void snapshots.take();
  move(2);
  const ended: string[] = [];
  void snapshots.take().then(() => ended.push('second'));
  void snapshots.take().then(() => ended.push('third'));
  await settled();
  expect(begun.map(({ seq }) => seq)).toEqual([1]);
  begun[0]!.done();
  await settled();
  expect(begun.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(ended).toEqual([]);
  begun[1]!.done();
  await settled();
  expect(ended).toEqual(['second', 'third']);
  expect(begun.length).toBe(2);
});

test('one that fails is no error to who asked, and the next is written', async () => {
  const { begun, snapshots } = slowSnapshots();
  const failing = snapshots.take();
  begun[0]!.fail(new Error('broken'));
  await failing;
  void snapshots.take();
  expect(begun.length).toBe(2);
});
