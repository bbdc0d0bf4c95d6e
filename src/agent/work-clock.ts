/** Asking the kernel costs tens of microseconds, which is as much as some chunks do. */
const TRUSTED_MS = 20;

/**
 * Milliseconds that this process has worked, for judging how expensive something is: a thread that a busy machine
 * keeps waiting does not get older by it. Never faster than the wall clock, though other threads work too. What passed
 * since the kernel was asked last is taken for work until it is asked again: a later answer can be less by that much.
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
  return () => {
    const nowWall = wallMs();
    const passed = Math.max(0, nowWall - wall);
    if (passed < TRUSTED_MS) return worked + passed;
    const nowCpu = cpuUs();
    worked += Math.max(0, Math.min(passed, (nowCpu - cpu) / 1000));
    wall = nowWall;
    cpu = nowCpu;
    return worked;
  };
}
