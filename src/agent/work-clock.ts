/** Asking the kernel costs a microsecond or two, as much as some lines do; a scheduler's turn is longer than this. */
const TRUSTED_MS = 1;

/**
 * Milliseconds that this process has worked, for judging how expensive something is: a thread that a busy machine
 * keeps waiting does not get older by it. Never faster than the wall clock, though other threads work too.
 */
export function createWorkClock(
  wallMs: () => number = () => performance.now(),
  cpuUs: () => number = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
): () => number {
  let wall = wallMs();
  let cpu = cpuUs();
  let worked = 0;
  /** Counted as worked since the kernel was asked. */
  let trusted = 0;
  return () => {
    const nowWall = wallMs();
    const passed = Math.max(0, nowWall - wall);
    wall = nowWall;
    if (passed < TRUSTED_MS) {
      worked += passed;
      trusted += passed;
      return worked;
    }
    const nowCpu = cpuUs();
    worked += Math.max(0, Math.min(passed, (nowCpu - cpu) / 1000 - trusted));
    cpu = nowCpu;
    trusted = 0;
    return worked;
  };
}
