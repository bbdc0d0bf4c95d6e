import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Named fault points: places where the crash harness may strike. Each step that touches the world (write, sync,
 * rename, read, send, acknowledge, transaction) calls `faultPoint` before and after. In production the table is
 * empty and a call costs one property read.
 *
 * `TAFFRAIL_FAULTS` is a comma-separated list of `point:action@n`: at the n-th passage of the point (from 1), do
 * `kill` (SIGKILL ourselves), `eio`, `enospc` (throw that error). `point` may end in `*`. `@n+` means from the
 * n-th passage on.
 *
 * At a write (`<area>.write`, without before or after) it is `short`, which takes about half of the bytes as a disk or
 * a signal may, or `short_kill`, `short_eio`, `short_enospc`, which end in that after the half.
 *
 * `hang` stops there for good, or in tests until the table is replaced: what is asynchronous asks `hangAt` whether its
 * promise is ever to be kept; a thread beside the main one stops altogether.
 *
 * `count` strikes nowhere: it keeps in the file `TAFFRAIL_FAULT_COUNTS` how often each point was passed.
 */
type Blow = 'kill' | 'eio' | 'enospc';
export type FaultAction = Blow | 'count' | 'hang' | 'short' | `short_${Blow}`;

interface Fault {
  readonly point: string;
  readonly action: FaultAction;
  readonly at: number;
  readonly onwards: boolean;
  passed: number;
}

const faults: Fault[] = parseFaults(process.env['TAFFRAIL_FAULTS'] ?? '');

function parseFaults(text: string): Fault[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^([a-z_.*]+):(kill|eio|enospc|count|hang|short(?:_(?:kill|eio|enospc))?)@(\d+)(\+?)$/.exec(
      part.trim(),
    );
    if (match === null) throw new Error(`TAFFRAIL_FAULTS: cannot read "${part}"; expected point:action@n`);
    const [, point, action, at, plus] = match;
    return { point: point!, action: action as FaultAction, at: Number(at), onwards: plus === '+', passed: 0 };
  });
}

/** Marks a step. Throws an error with `code` EIO or ENOSPC, or ends the process, where the harness asked for it. */
export function faultPoint(point: string): void {
  if (faults.length !== 0) strike(point);
}

let hanging: (() => void)[] = [];

/** Where the step that begins here is to hang: a promise that is not kept before the table is replaced. */
export function hangAt(point: string): Promise<void> | undefined {
  if (faults.length === 0) return undefined;
  const hangs = faults.some((fault) => fault.action === 'hang' && strikes(fault, point));
  return hangs ? new Promise((resolve) => hanging.push(resolve)) : undefined;
}

/** How much of a write is let through, and what happens then. */
export interface ShortWrite {
  readonly bytes: number;
  end(): void;
}

/** Undefined where the write of all these parts goes on as it is. */
export function shortWrite(point: string, parts: readonly Uint8Array[]): ShortWrite | undefined {
  if (faults.length === 0) return undefined;
  const fault = faults.find((one) => one.action.startsWith('short') && strikes(one, point));
  const half = parts.reduce((sum, { length }) => sum + length, 0) >> 1;
  if (fault === undefined || half === 0) return undefined;
  const blow = fault.action.slice('short_'.length);
  return {
    bytes: half,
    end: () => {
      if (blow !== '') deal(blow as Blow, point);
    },
  };
}

function strike(point: string): void {
  for (const fault of faults) {
    if (fault.action.startsWith('short') || (fault.action === 'hang' && isMainThread)) continue;
    if (!strikes(fault, point)) continue;
    if (fault.action === 'count') count(point);
    else if (fault.action === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    else deal(fault.action as Blow, point);
  }
}

/** Counts the passage. */
function strikes(fault: Fault, point: string): boolean {
  const isMeant = fault.point.endsWith('*')
    ? point.startsWith(fault.point.slice(0, -1))
    : point === fault.point;
  if (!isMeant) return false;
  fault.passed++;
  return fault.passed === fault.at || (fault.onwards && fault.passed > fault.at);
}

function deal(blow: Blow, point: string): void {
  if (blow === 'kill') process.kill(process.pid, 'SIGKILL');
  const code = blow === 'eio' ? 'EIO' : 'ENOSPC';
  throw Object.assign(new Error(`${code}: injected at ${point}`), { code });
}

const COUNTS_EACH_MS = 50;
const counts: Record<string, number> = {};
let countsAreDue = false;

function count(point: string): void {
  counts[point] = (counts[point] ?? 0) + 1;
  const file = process.env['TAFFRAIL_FAULT_COUNTS'];
  if (countsAreDue || file === undefined) return;
  countsAreDue = true;
  const write = (): void => {
    countsAreDue = false;
    fs.writeFileSync(`${file}.tmp`, JSON.stringify(counts));
    fs.renameSync(`${file}.tmp`, file);
  };
  setTimeout(write, COUNTS_EACH_MS).unref();
}

/** For tests in the same process: replaces the table. */
export function setFaults(text: string): void {
  faults.splice(0, faults.length, ...parseFaults(text));
  const released = hanging;
  hanging = [];
  for (const release of released) release();
}
