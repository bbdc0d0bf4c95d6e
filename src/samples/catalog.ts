import type { Labels, Matcher } from '../model/series.ts';
import type { HeadView } from './head-columns.ts';
import { SymbolTexts } from './symbols.ts';

/** Series numbers, ascending when they are asked for. */
class Postings {
  #sids = new Uint32Array(4);
  #length = 0;
  #sorted = true;

  add(sid: number): void {
    if (this.#length > 0 && this.#sids[this.#length - 1]! > sid) this.#sorted = false;
    if (this.#length === this.#sids.length) {
      const wider = new Uint32Array(this.#length * 2);
      wider.set(this.#sids);
      this.#sids = wider;
    }
    this.#sids[this.#length++] = sid;
  }

  get sids(): Uint32Array {
    const sids = this.#sids.subarray(0, this.#length);
    if (!this.#sorted) sids.sort();
    this.#sorted = true;
    return sids;
  }
}

/** A matcher's test of one value; an absent label is an empty value. */
export type ValueTest = (value: string) => boolean;

/** The labels of all series as a reading thread sees them, and by label value those that have it. */
export class Catalog {
  readonly #view: HeadView;
  readonly #texts: SymbolTexts;
  readonly #compile: (matcher: Matcher) => ValueTest;
  /** By symbol of the name: by symbol of the value. */
  #values = new Map<number, Map<number, Postings>>();
  #labels: (Labels | undefined)[] = [];
  #all = new Postings();
  /** Series that are among the postings. */
  #known = new Uint8Array(0);
  /** How many of the additions were read; -1: all series are to be read. */
  #added = -1;
  #forgotten = -1;

  constructor(view: HeadView, compile: (matcher: Matcher) => ValueTest) {
    this.#view = view;
    this.#texts = new SymbolTexts(view.symbols, view.symbolStarts);
    this.#compile = compile;
  }

  /** Sees series that came or went since. */
  refresh(): void {
    const forgotten = this.#view.state('forgotten');
    const added = this.#view.state('added');
    if (forgotten !== this.#forgotten) this.#begin(forgotten);
    else if (added === this.#added) return;
    this.#view.refresh();
    if (this.#added < 0) for (let sid = 1; sid < this.#view.state('next'); sid++) this.#add(sid);
    else for (let i = this.#added; i < added; i++) this.#add(this.#view.additions.words[i]!);
    this.#added = added;
  }

  #begin(forgotten: number): void {
    this.#values = new Map();
    this.#all = new Postings();
    this.#known = new Uint8Array(0);
    this.#labels = [];
    this.#forgotten = forgotten;
    this.#added = -1;
  }

  #add(sid: number): void {
    const { words } = this.#view.labelIds;
    const place = this.#view.columns.labelsAt[sid]!;
    if (place === 0 || this.#known[sid] === 1) return;
    if (sid >= this.#known.length) {
      const wider = new Uint8Array(Math.max(1024, sid * 2));
      wider.set(this.#known);
      this.#known = wider;
    }
    this.#known[sid] = 1;
    this.#all.add(sid);
    const end = place + words[place]!;
    for (let at = place + 1; at < end; at += 2) {
      const values = getOrAdd(this.#values, words[at]!, () => new Map<number, Postings>());
      getOrAdd(values, words[at + 1]!, () => new Postings()).add(sid);
    }
  }

  /** Always the same object for a series. */
  labels(sid: number): Labels {
    return (this.#labels[sid] ??= this.#readLabels(sid));
  }

  #readLabels(sid: number): Labels {
    const { words } = this.#view.labelIds;
    const place = this.#view.columns.labelsAt[sid]!;
    const entries: [string, string][] = [];
    for (let at = place + 1; at < place + words[place]!; at += 2)
      entries.push([this.#texts.text(words[at]!), this.#texts.text(words[at + 1]!)]);
    return Object.fromEntries(entries);
  }

  /** The series that fit every matcher, ascending. Throws where a matcher's expression is none. */
  match(matchers: readonly Matcher[]): Uint32Array {
    const tests = matchers.map((matcher) => ({
      name: this.#symbolOf(matcher.name),
      test: this.#compile(matcher),
      matcher,
    }));
    let best: { readonly sids: Uint32Array; readonly of: number } | undefined;
    for (const [i, one] of tests.entries()) {
      if (one.test('')) continue;
      const sids = this.#having(one.name, one.test, one.matcher);
      if (sids.length === 0) return sids;
      if (best === undefined || sids.length < best.sids.length) best = { sids, of: i };
    }
    let sids = best?.sids ?? this.#all.sids;
    for (const [i, { name, test }] of tests.entries())
      if (i !== best?.of) sids = this.#filter(sids, name, test);
    return sids;
  }

  #symbolOf(name: string): number {
    for (const id of this.#values.keys()) if (this.#texts.text(id) === name) return id;
    return -1;
  }

  /** Series whose label passes a test that an absent one would not. */
  #having(name: number, test: ValueTest, { kind, value }: Matcher): Uint32Array {
    const values = this.#values.get(name);
    if (values === undefined) return new Uint32Array(0);
    const found: Uint32Array[] = [];
    for (const [id, postings] of values) {
      const text = this.#texts.text(id);
      if (kind === '=' ? text === value : test(text)) found.push(postings.sids);
      if (kind === '=' && found.length > 0) break;
    }
    return union(found);
  }

  #filter(sids: Uint32Array, name: number, test: ValueTest): Uint32Array {
    const withoutLabel = test('');
    const known = new Map<number, boolean>();
    const { words } = this.#view.labelIds;
    const { labelsAt } = this.#view.columns;
    return sids.filter((sid) => {
      const place = labelsAt[sid]!;
      const end = place + words[place]!;
      let at = place + 1;
      while (at < end && words[at] !== name) at += 2;
      if (at >= end) return withoutLabel;
      const value = words[at + 1]!;
      let passes = known.get(value);
      if (passes === undefined) known.set(value, (passes = test(this.#texts.text(value))));
      return passes;
    });
  }

  labelNames(): string[] {
    return [...this.#values.keys()].map((id) => this.#texts.text(id)).sort();
  }

  /** Each value of a label with the series that have it. */
  *valuesOf(name: string): Generator<{ readonly value: string; readonly sids: Uint32Array }> {
    const values = this.#values.get(this.#symbolOf(name)) ?? [];
    for (const [id, postings] of values) yield { value: this.#texts.text(id), sids: postings.sids };
  }

  /** Each name with each of its values, and how many series have the two. */
  *pairs(): Generator<{ readonly name: string; readonly value: string; readonly series: number }> {
    for (const [name, values] of this.#values)
      for (const [value, postings] of values)
        yield { name: this.#texts.text(name), value: this.#texts.text(value), series: postings.sids.length };
  }

  get all(): Uint32Array {
    return this.#all.sids;
  }
}

function union(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 1) return lists[0]!;
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all.sort();
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
