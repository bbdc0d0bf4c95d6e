export interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMib?: number;
  readonly loopMaxMs?: number;
}

const number = (value: number | undefined, digits: number, width: number): string =>
  (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)).padStart(width);

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** The first row is the agent; the others are held against it: how many times its CPU time they take. */
export function report(title: string, mib: number, lines: number, rows: readonly Row[]): void {
  say(`\n${title}: ${mib.toFixed(0)} MiB, ${lines} lines`);
  say(`${' '.repeat(34)}  lines/s   MiB/s  MiB/CPU-s  CPU s/GiB  peak MiB  loop ms   CPU x`);
  for (const row of rows) {
    const columns = [
      number(lines / row.seconds, 0, 9),
      number(mib / row.seconds, 0, 8),
      number(mib / row.cpuSeconds, 0, 11),
      number((row.cpuSeconds * 1024) / mib, 2, 11),
      number(row.peakMib, 0, 10),
      number(row.loopMaxMs, 0, 9),
      number(row.cpuSeconds / rows[0]!.cpuSeconds, 2, 8),
    ];
    say(row.name.padEnd(34) + columns.join(''));
  }
}
