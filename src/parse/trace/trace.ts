import type { Continuation } from '../multiline.ts';
import { SafeRegex } from '../pattern/safe-regex.ts';

/** What the lines of a stack trace look like after its first line. The expression must be one that V8 runs in linear time. */
export function frames(frame: RegExp): Continuation {
  const regex = new SafeRegex(frame.source, '');
  return { begin() {}, continues: (line) => regex.test(line) };
}

/** A test that takes linear time on any line. */
export function lineTest(regex: RegExp): (line: string) => boolean {
  const safe = new SafeRegex(regex.source, '');
  return (line) => safe.test(line);
}
