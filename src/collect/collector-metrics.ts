/** A counter or gauge of the collector itself, with at most one label. */
interface Family {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly label: string;
  readonly values: Map<string, number>;
}

/** Figures that somebody else keeps, with their whole name. */
export interface OtherFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The collector's own figures, for its `/metrics`. All names begin with `taffrail_collector_`. */
export class CollectorMetrics {
  readonly #families = new Map<string, Family>();
  #others: () => readonly OtherFamily[] = () => [];

  /** Figures that others keep, under names of their own. */
  include(others: () => readonly OtherFamily[]): void {
    this.#others = others;
  }

  /** Declares; a counter without label starts at 0, so that it is there before it first counts. */
  declare(name: string, type: 'counter' | 'gauge', help: string, label = ''): void {
    const values = new Map<string, number>();
    if (label === '') values.set('', 0);
    this.#families.set(name, { type, help, label, values });
  }

  add(name: string, amount = 1, labelValue = ''): void {
    const { values } = this.#family(name);
    values.set(labelValue, (values.get(labelValue) ?? 0) + amount);
  }

  set(name: string, value: number, labelValue = ''): void {
    this.#family(name).values.set(labelValue, value);
  }

  /** Sets the values of all label values; what is not among them is gone. */
  replace(name: string, next: ReadonlyMap<string, number>): void {
    const { values } = this.#family(name);
    values.clear();
    for (const [labelValue, value] of next) values.set(labelValue, value);
  }

  get(name: string, labelValue = ''): number {
    return this.#family(name).values.get(labelValue) ?? 0;
  }

  #family(name: string): Family {
    const family = this.#families.get(name);
    if (family === undefined) throw new Error(`metric ${name} is not declared`);
    return family;
  }

  /** Every figure as a sample of a series. */
  samples(): readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[] {
    const own = [...this.#families].flatMap(([short, { label, values }]) =>
      [...values].map(([labelValue, value]) => ({
        name: `taffrail_collector_${short}`,
        labels: label === '' ? {} : { [label]: labelValue },
        value,
      })),
    );
    return [
      ...own,
      ...this.#others().flatMap(({ name, samples }) => samples.map((sample) => ({ name, ...sample }))),
    ];
  }

  /** Prometheus's text format. */
  text(): string {
    const lines: string[] = [];
    for (const [short, { type, help, label, values }] of this.#families) {
      const name = `taffrail_collector_${short}`;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [value, number] of values)
        lines.push(`${name}${label === '' ? '' : `{${label}="${escapeLabel(value)}"}`} ${number}`);
    }
    for (const { name, type, help, samples } of this.#others()) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const { labels, value } of samples) lines.push(`${name}${labelText(labels)} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The figures that ingest and its neighbours count. */
export function declareCollectorMetrics(metrics: CollectorMetrics): CollectorMetrics {
  metrics.declare('requests_total', 'counter', 'Ingest requests by answer.', 'code');
  metrics.declare('records_stored_total', 'counter', 'Log records stored.');
  metrics.declare('samples_stored_total', 'counter', 'Samples stored.');
  metrics.declare(
    'points_rejected_total',
    'counter',
    'Metric points that were understood and could not be kept.',
  );
  metrics.declare(
    'repeated_batches_total',
    'counter',
    'Batches that were acknowledged again and not stored again.',
  );
  metrics.declare(
    'identity_conflicts_total',
    'counter',
    'Requests refused because two agents spoke under one identity.',
  );
  metrics.declare(
    'store_failures_total',
    'counter',
    'Requests answered with 503 because the store could not write.',
  );
  metrics.declare('heartbeats_total', 'counter', 'Heartbeats of agents.');
  metrics.declare('queued_bytes', 'gauge', 'Encoded bytes that wait for the store.');
  metrics.declare('store_bytes', 'gauge', 'Bytes that the store uses.');
  metrics.declare('series', 'gauge', 'Series in the store.');
  metrics.declare('transactions_total', 'counter', 'Transactions of the store that brought data.');
  metrics.declare(
    'ledger_difference',
    'gauge',
    'Records that an agent counts as delivered less those stored from it; not 0 is a fault.',
    'agent',
  );
  return metrics;
}
