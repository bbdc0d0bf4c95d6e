import { parentPort, workerData } from 'node:worker_threads';
import type { Fragment } from '../model/slice.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import type { LaneReply, LaneRequest } from './lane.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { ScannerSet } from './scanner-set.ts';

/** The thread behind a WorkerLane: scans what it is sent, in order. */
enableLinearFallback();
const port = parentPort!;
const reply = (message: LaneReply, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);
const scanners = new ScannerSet(workerData as ScannerPlan[], reply);

port.on('message', scan);
reply({ kind: 'ready' });

function scan({ id, chunk, bytes }: LaneRequest): void {
  try {
    const fragment = detached(scanners.scan({ ...chunk, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) }));
    const blocks = [fragment.deltas, ...fragment.records.map((block) => block.bytes)];
    reply({ kind: 'scanned', id, fragment }, blocks.map(({ buffer }) => buffer) as ArrayBuffer[]);
  } catch (error) {
    reply({
      kind: 'failed',
      id,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** The deltas in memory of their own, as the records are, so that they can be handed over without what lies beside them. */
function detached(fragment: Fragment): Fragment {
  return {
    ...fragment,
    deltas: new Uint8Array(fragment.deltas),
  };
}
