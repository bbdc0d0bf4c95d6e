/** Samples of one or many series, one after the other. `stale` is 1 for a stale marker, whose value is NaN. */
export interface SampleColumns {
  times: Float64Array;
  values: Float64Array;
  stale: Uint8Array;
}

export function sampleColumns(length: number): SampleColumns {
  return {
    times: new Float64Array(length),
    values: new Float64Array(length),
    stale: new Uint8Array(length),
  };
}

/** Room for that many samples; what is there stays. */
export function widenColumns(columns: SampleColumns, length: number): void {
  if (length <= columns.times.length) return;
  const wider = sampleColumns(Math.max(length, columns.times.length * 2));
  wider.times.set(columns.times);
  wider.values.set(columns.values);
  wider.stale.set(columns.stale);
  Object.assign(columns, wider);
}
