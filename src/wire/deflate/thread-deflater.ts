import { Deflater } from './deflater.ts';

/** A block of records as large as they come, and the record that did not fit it any more. */
const INPUT_BYTES = 528 * 1024;

let deflater: Deflater | undefined;

/** One for a thread, made when it is first needed. */
export function threadDeflater(): Deflater {
  return (deflater ??= new Deflater(INPUT_BYTES));
}
