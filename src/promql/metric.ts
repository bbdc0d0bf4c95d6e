import type { Labels } from '../model/series.ts';
import { labelValue, setLabel } from './label-access.ts';

const NAME = '__name__';
/** Forget what was derived from a metric beyond this many projections: rules are few, remote queries are not. */
const REMEMBERED_PROJECTIONS = 64;
const INTERNED_PROJECTIONS = 1000;

/**
 * Which labels to keep: `by` and `on` keep those named; `without` and `ignoring` drop those named and the metric's
 * name; `dropping` drops those named alone.
 */
export class Projection {
  static readonly #interned = new Map<string, Projection>();
  readonly #kind: 'keeping' | 'dropping';
  readonly #labels: ReadonlySet<string>;

  private constructor(kind: 'keeping' | 'dropping', labels: readonly string[]) {
    this.#kind = kind;
    this.#labels = new Set(labels);
  }

  static keeping(labels: readonly string[]): Projection {
    return Projection.#intern('keeping', labels);
  }

  static without(labels: readonly string[]): Projection {
    return Projection.#intern('dropping', [...labels, NAME]);
  }

  static dropping(labels: readonly string[]): Projection {
    return Projection.#intern('dropping', labels);
  }

  /** One object per meaning, so that metrics can remember by identity what they became. */
  static #intern(kind: 'keeping' | 'dropping', labels: readonly string[]): Projection {
    const key = `${kind}\xff${[...labels].sort().join('\xff')}`;
    let projection = Projection.#interned.get(key);
    if (projection !== undefined) return projection;
    if (Projection.#interned.size >= INTERNED_PROJECTIONS) Projection.#interned.clear();
    projection = new Projection(kind, labels);
    Projection.#interned.set(key, projection);
    return projection;
  }

  keeps(label: string): boolean {
    return this.#labels.has(label) === (this.#kind === 'keeping');
  }
}

const DROP_NAME = Projection.dropping([NAME]);

/**
 * A label set during evaluation. It remembers its canonical key and what projections made of it; because stores
 * hand out the same labels object each time, that memory lasts from one evaluation to the next.
 *
 * With delayed name removal a metric may be *pending*: its name is to be dropped at the end of the query, unless a
 * label function sets it anew. A pending metric shares everything with the plain one.
 */
export class Metric {
  static readonly #byLabels = new WeakMap<Labels, Metric>();
  readonly labels: Labels;
  readonly #plain: Metric;
  #key: string | undefined;
  #pendingTwin: Metric | undefined;
  #projections: Map<Projection, Metric> | undefined;

  private constructor(labels: Labels, plain?: Metric) {
    this.labels = labels;
    this.#plain = plain ?? this;
  }

  static of(labels: Labels): Metric {
    let metric = Metric.#byLabels.get(labels);
    if (metric === undefined) {
      metric = new Metric(labels);
      Metric.#byLabels.set(labels, metric);
    }
    return metric;
  }

  /** Equal for equal labels, whatever their order. */
  get key(): string {
    if (this.#plain !== this) return this.#plain.key;
    this.#key ??= labelsKey(this.labels);
    return this.#key;
  }

  get name(): string {
    return labelValue(this.labels, NAME);
  }

  get pending(): boolean {
    return this.#plain !== this;
  }

  get plain(): Metric {
    return this.#plain;
  }

  /** The same labels, with the name to be dropped at the end. */
  asPending(): Metric {
    if (this.pending) return this;
    this.#pendingTwin ??= new Metric(this.labels, this);
    return this.#pendingTwin;
  }

  withoutName(): Metric {
    return this.name === '' ? this.#plain : this.project(DROP_NAME);
  }

  /** As it is shown in a result. */
  finished(): Metric {
    return this.pending ? this.withoutName() : this;
  }

  /** The labels that the projection keeps; never pending. */
  project(projection: Projection): Metric {
    if (this.#plain !== this) return this.#plain.project(projection);
    const known = this.#projections?.get(projection);
    if (known !== undefined) return known;
    const labels: Record<string, string> = {};
    for (const name in this.labels) if (projection.keeps(name)) setLabel(labels, name, this.labels[name]!);
    const projected = new Metric(labels);
    if (this.#projections === undefined || this.#projections.size >= REMEMBERED_PROJECTIONS) {
      this.#projections = new Map();
    }
    this.#projections.set(projection, projected);
    return projected;
  }

  /** The labels with some set anew; an empty value removes the label. */
  with(changes: Labels): Metric {
    const labels: Record<string, string> = { ...this.labels };
    for (const [name, value] of Object.entries(changes)) setLabel(labels, name, value);
    return new Metric(labels);
  }
}

export const NO_LABELS = Metric.of({});

/** `name=value` pairs in the order of their names, separated by what no valid label holds. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels).sort();
  let key = '';
  for (const name of names) key += `${name}\xff${labels[name]}\xff`;
  return key;
}
