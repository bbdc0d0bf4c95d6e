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
  return () => {
    const nowWall = wallMs();
    const nowCpu = cpuUs();
    worked += Math.max(0, Math.min(nowWall - wall, (nowCpu - cpu) / 1000));
    wall = nowWall;
    cpu = nowCpu;
    return worked;
  };
}
