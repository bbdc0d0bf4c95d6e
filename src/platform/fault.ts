/**
 * Named fault points: places where the crash harness may strike. Each step that touches the world (write, sync,
 * rename, read, send, acknowledge, transaction) calls `faultPoint` before and after. In production the table is
 * empty and a call costs one property read.
 *
 * `TAFFRAIL_FAULTS` is a comma-separated list of `point:action@n`: at the n-th passage of the point (from 1), do
 * `kill` (SIGKILL ourselves), `eio`, `enospc` (throw that error). `point` may end in `*`. `@n+` means from the
 * n-th passage on.
 */
export type FaultAction = 'kill' | 'eio' | 'enospc';

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
    const match = /^([a-z_.*]+):(kill|eio|enospc)@(\d+)(\+?)$/.exec(part.trim());
    if (match === null) throw new Error(`TAFFRAIL_FAULTS: cannot read "${part}"; expected point:action@n`);
    const [, point, action, at, plus] = match;
    return { point: point!, action: action as FaultAction, at: Number(at), onwards: plus === '+', passed: 0 };
  });
}

/** Marks a step. Throws an error with `code` EIO or ENOSPC, or ends the process, where the harness asked for it. */
export function faultPoint(point: string): void {
  if (faults.length !== 0) strike(point);
}

function strike(point: string): void {
  for (const fault of faults) {
    const hit = fault.point.endsWith('*')
      ? point.startsWith(fault.point.slice(0, -1))
      : point === fault.point;
    if (!hit) continue;
    fault.passed++;
    if (fault.passed !== fault.at && !(fault.onwards && fault.passed > fault.at)) continue;
    if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL');
    const code = fault.action === 'eio' ? 'EIO' : 'ENOSPC';
    throw Object.assign(new Error(`${code}: injected at ${point}`), { code });
  }
}

/** For tests in the same process: replaces the table. */
export function setFaults(text: string): void {
  faults.splice(0, faults.length, ...parseFaults(text));
}
