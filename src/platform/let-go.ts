import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

/** So much may be let go before the collector is asked. */
const ROUND_BYTES = 8 << 20;

let waiting = 0;
let collect: Collect | undefined;

/**
 * Told of the bytes of buffers that nobody holds any more. V8 gives their memory back when it collects its nursery,
 * which it does by the size of objects, of which a buffer is a small one: a program that handles bytes and few objects
 * would pile up as much as 64 MiB of them. A collection of the nursery takes half a millisecond.
 */
export function letGo(bytes: number): void {
  waiting += bytes;
  if (waiting < ROUND_BYTES) return;
  waiting = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** V8 has it in contexts that are made while the flag is set. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collect;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
