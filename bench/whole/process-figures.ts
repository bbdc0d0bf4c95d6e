import { readFileSync } from 'node:fs';

const TICKS_A_SECOND = 100;

/** What the kernel says of a process, all its threads together. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly peakMib: number;
}

export function figuresOf(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    peakMib: Number(peak) / 1024,
  };
}
