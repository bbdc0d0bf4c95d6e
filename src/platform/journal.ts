import { fstatSync } from 'node:fs';

/** As syslog counts them: what `journalctl -p` tells apart. */
export type Priority = 3 | 4 | 6 | 7;

/** Whether what is written to standard error goes to systemd's journal: systemd says which stream that is. */
export function isJournal(env: NodeJS.ProcessEnv = process.env, fd = 2): boolean {
  const stream = env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    // Closed: nothing will be written.
    return false;
  }
}

/** Each line begins with its priority in sd-daemon's form, which the journal takes off again. */
export function withPriority(text: string, priority: Priority): string {
  return text.replace(/^(?=[^\n])/gm, `<${priority}>`);
}

/** A message of a program that ends: an error in the journal, plain elsewhere. */
export function errorText(text: string): string {
  return isJournal() ? withPriority(text, 3) : text;
}
