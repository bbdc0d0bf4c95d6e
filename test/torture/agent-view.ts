import { getJson, httpGet } from './http-get.ts';

/** The parts of /status that a run looks at. */
export interface Status {
  readonly sources: readonly {
    readonly name: string;
    readonly lagBytes: number;
    readonly ledger: {
      readonly read: number;
      readonly unmatched: number;
      readonly missedBytes: Readonly<Record<string, number>>;
      readonly missedUnknown: number;
    };
    readonly files: readonly unknown[];
  }[];
  readonly sinks: readonly {
    readonly ledger: Readonly<
      Record<
        string,
        {
          readonly delivered: number;
          readonly buffered: number;
          readonly lost: Readonly<Record<string, number>>;
          readonly before: number;
        }
      >
    >;
  }[];
  readonly ledger: { readonly holds: boolean; readonly broken: readonly string[] };
}

export function readStatus(url: string): Promise<Status | undefined> {
  return getJson<Status>(`${url}/status`);
}

/** Values of a text exposition by metric, each with its labels as they are written. */
export async function readMetrics(url: string): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>();
  for (const line of ((await httpGet(`${url}/metrics`)) ?? '').split('\n')) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) continue;
    const [, name, text = '', value] = match;
    const labels = Object.fromEntries(
      [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key!, label!]),
    );
    samples.set(name!, [...(samples.get(name!) ?? []), { labels, value: Number(value) }]);
  }
  return samples;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function sumFor(samples: readonly Sample[] | undefined, source: string): number {
  return (samples ?? []).reduce(
    (sum, { labels, value }) => sum + (labels['source'] === source ? value : 0),
    0,
  );
}
