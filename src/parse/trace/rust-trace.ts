import type { Continuation } from '../multiline.ts';
import { lineTest } from './trace.ts';

const isPanic = lineTest(/^thread '[^']*'(?: \(\d+\))? panicked at /);
const isFrame = lineTest(
  /^(?:stack backtrace:|Stack backtrace:|[ \t]+\d+: |[ \t]+at |note: |Caused by:|[ \t]{4,}\S|[ \t]*=+ |\.\.\. omitting \d+ frame)/,
);

/**
 * Rust: a panic with its message on the next line (since Rust 1.73) or the same, the backtrace, the notes, and chains of
 * causes as anyhow prints them.
 */
export function rustTrace(): Continuation {
  /** The next line is the message of a panic. */
  let expectsMessage = false;
  let inside = false;
  return {
    begin(first) {
      inside = isPanic(first) || first.startsWith('Error: ');
      expectsMessage = isPanic(first) && first.endsWith(':');
    },
    continues(line) {
      if (expectsMessage) {
        expectsMessage = false;
        return true;
      }
      if (isFrame(line)) {
        inside = true;
        return true;
      }
      return inside && line === '';
    },
  };
}
