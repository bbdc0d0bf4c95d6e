import type { Continuation } from '../multiline.ts';
import { lineTest } from './trace.ts';

const isFrame = lineTest(
  /^(?:panic: |[ \t]+panic: |\[signal |\[recovered|goroutine \d+ |[\w./*()$[\]·…-]+\(.*\)(?: in goroutine \d+)?$|created by |[ \t]+\/?\S+:\d+|exit status \d+|runtime: |runtime stack:|\.\.\.(?:additional frames elided|\d+ frames elided))/,
);
/** What begins an event by itself: an error of the runtime, and what a program prints when it is asked to quit. */
const isHead = lineTest(
  /^(?:fatal error: |SIG[A-Z]+: |unexpected fault address |runtime: goroutine stack exceeds )/,
);
/** `PC=0x46e4a1 m=0 sigcode=0`, and the registers at the end of a dump. */
const isRegister = lineTest(/^(?:PC=0x[0-9a-f]+ m=|[a-z][a-z0-9]{1,7} +0x[0-9a-f]+$)/);
const RACE_BAR = '==================';

type State = 'outside' | 'trace' | 'bar' | 'race';

/**
 * Go: panics, panics again, errors of the runtime, dumps of goroutines and reports of the race detector, which stand
 * between two bars.
 */
export function goTrace(): Continuation {
  let state: State = 'outside';
  return {
    begin(first) {
      state = first === RACE_BAR ? 'bar' : isHead(first) || isFrame(first) ? 'trace' : 'outside';
    },
    continues(line) {
      switch (state) {
        case 'bar':
          state = line === 'WARNING: DATA RACE' ? 'race' : 'outside';
          return state === 'race';
        case 'race':
          if (line === RACE_BAR) state = 'outside';
          return true;
        case 'trace':
          return line === '' || isFrame(line) || isHead(line) || isRegister(line);
        case 'outside':
          if (isFrame(line)) state = 'trace';
          return state === 'trace';
      }
    },
  };
}
