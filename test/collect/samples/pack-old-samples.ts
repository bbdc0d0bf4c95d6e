import { ByteWriter } from '../../../src/model/byte-writer.ts';

export interface OldPacked {
  readonly times: readonly number[];
  /** `null` is a stale marker. */
  readonly values: readonly (number | null)[];
}

/** A chunk as stores before the sample files packed it. */
export function packOldSamples({ times, values }: OldPacked): Uint8Array {
  const out = new ByteWriter(16 + times.length * 3);
  out.varint(times.length);
  out.varint(times[0]!);
  let [time, step, previous] = [times[0]!, 0, 0];
  for (let i = 0; i < times.length; i++) {
    const nextStep = times[i]! - time;
    out.varint(zigzag(nextStep - step));
    step = nextStep;
    time = times[i]!;
    previous = packValue(out, values[i]!, previous);
  }
  return out.copy();
}

function packValue(out: ByteWriter, value: number | null, previous: number): number {
  if (value === null) {
    out.uint8(3);
    return previous;
  }
  if (Object.is(value, previous)) {
    out.uint8(0);
    return value;
  }
  const difference = value - previous;
  const exact =
    Number.isSafeInteger(value) && Number.isSafeInteger(previous) && Number.isSafeInteger(difference * 2);
  if (!exact || Object.is(value, -0) || Object.is(previous, -0)) {
    out.uint8(2);
    out.double(value);
  } else if (difference >= -126 && difference <= 125) out.uint8(difference + 130);
  else {
    out.uint8(1);
    out.varint(zigzag(difference));
  }
  return value;
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
