import { parentPort, workerData } from 'node:worker_threads';
import type { Fragment } from '../model/slice.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import { BufferPool } from '../tail/buffer-pool.ts';
import { FileRun, leavesNothing } from '../tail/file-run.ts';
import type { LaneReply, LaneRequest } from './lane.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { ScannerSet } from './scanner-set.ts';

/** The thread behind a WorkerLane: scans what it is sent, in order. */
enableLinearFallback();
const port = parentPort!;
const reply = (message: LaneReply, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);
const scanners = new ScannerSet(workerData as ScannerPlan[], reply);

/** One chunk is read at a time. */
const pool = new BufferPool(1);
/** Whether what follows the last chunk can do without it. */
let leftNothing = false;
let run: FileRun | undefined;
/** What is asked for is done in turn. */
let last = Promise.resolve();
port.on('message', (request: LaneRequest) => {
  last = last.then(async () => (request.kind === 'scan' ? scan(request) : readOn(request)));
});
reply({ kind: 'ready' });

type Request<Kind> = Extract<LaneRequest, { kind: Kind }>;

function scan({ id, chunk, bytes }: Request<'scan'>): void {
  leftNothing = false;
  try {
    const whole = { ...chunk, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) };
    const fragment = detached(scanners.scan(whole));
    leftNothing = leavesNothing(whole, fragment.consumed, fragment.parserState);
    reply({ kind: 'scanned', id, fragment }, memoryOf(fragment));
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    reply({ kind: 'failed', id, message });
  }
}

/** What cannot be read or scanned here is the main thread's to read again, which then has the error too. */
async function readOn({ id, begin }: Request<'read_on'>): Promise<void> {
  if (begin !== undefined) run = leftNothing ? new FileRun(begin, pool) : undefined;
  const next = await run?.next((chunk) => detached(scanners.scan(chunk))).catch(() => undefined);
  if (next === undefined) {
    run = undefined;
    reply({ kind: 'read', id, read: undefined });
  } else {
    const { block, scanned } = next;
    reply({ kind: 'read', id, read: { block, fragment: scanned } }, memoryOf(scanned));
  }
}

/** To be handed over with it. */
function memoryOf({ deltas, records }: Fragment): readonly ArrayBuffer[] {
  return [deltas, ...records.map(({ bytes }) => bytes)].map(({ buffer }) => buffer as ArrayBuffer);
}

/** The deltas in memory of their own, as the records are, so that they can be handed over without what lies beside them. */
function detached(fragment: Fragment): Fragment {
  return {
    ...fragment,
    deltas: new Uint8Array(fragment.deltas),
  };
}
