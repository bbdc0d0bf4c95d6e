import { parentPort, workerData } from 'node:worker_threads';
import type { Fragment, RecordBlock } from '../model/slice.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import type { LaneReply, LaneRequest } from './lane.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { ScannerSet } from './scanner-set.ts';

/** The thread behind a WorkerLane: scans what it is sent, in order. */
enableLinearFallback();
const port = parentPort!;
const reply = (message: LaneReply, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);
const scanners = new ScannerSet(workerData as ScannerPlan[], (source, pattern, reason) =>
  reply({ kind: 'pattern_out', source, pattern, reason }),
);

port.on('message', (request: LaneRequest) => void scan(request));
reply({ kind: 'ready' });

async function scan({ id, chunk, bytes, length }: LaneRequest): Promise<void> {
  try {
    const scanned = await scanners.scan({ ...chunk, bytes: Buffer.from(bytes.buffer, 0, length) });
    const fragment = detached(scanned.fragment, await scanned.records);
    const buffers = [bytes, fragment.deltas, ...fragment.records.map((block) => block.bytes)].map(
      ({ buffer }) => buffer,
    );
    reply({ kind: 'scanned', id, fragment, bytes }, buffers as ArrayBuffer[]);
  } catch (error) {
    reply({
      kind: 'failed',
      id,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** The deltas in memory of their own, as the records are, so that they can be handed over without what lies beside them. */
function detached(fragment: Fragment, records: readonly RecordBlock[]): Fragment {
  return { ...fragment, deltas: new Uint8Array(fragment.deltas), records };
}
