/**
 * What samples and records each use of the store's room, seen by both their threads: bytes, and the time of the oldest that
 * could be deleted (`Infinity`: nothing). So the older goes first, whoever has it.
 */
export interface StoreShare {
  readonly samples: Float64Array;
  readonly records: Float64Array;
}

export function makeShare(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(32);
  const { samples, records } = shareOf(buffer);
  samples[1] = records[1] = Infinity;
  return buffer;
}

export function shareOf(buffer: SharedArrayBuffer): StoreShare {
  return { samples: new Float64Array(buffer, 0, 2), records: new Float64Array(buffer, 16, 2) };
}

export function usedOf({ samples, records }: StoreShare): number {
  return samples[0]! + records[0]!;
}

export function oldestOf({ samples, records }: StoreShare): number {
  return Math.min(samples[1]!, records[1]!);
}
