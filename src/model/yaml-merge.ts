import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, visit } from 'yaml';

/** A merge key that cannot be followed; `offset` is its place in the text, in characters. */
export interface MergeProblem {
  readonly offset: number;
  readonly message: string;
}

/** Most nodes that all merge keys of a document may bring in: a few lines can ask for any number. */
const MERGED_MAX = 1_000_000;

/** Where each alias of a document leads, found in one pass. An alias without an anchor before it leads nowhere. */
export function aliasTargets(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

/**
 * Puts what merge keys (`<<: *base`, `<<: [*a, *b]`) stand for in their place, as YAML 1.1 and the readers of
 * Prometheus and Alertmanager do: a key of the mapping itself comes before a merged one, an earlier mapping of a list
 * before a later one. A quoted `"<<"` is a key like any other. Merged nodes keep their own places in the text.
 */
export function expandMergeKeys(document: Document): readonly MergeProblem[] {
  const expansion = new Expansion(aliasTargets(document));
  // Collected first: what is merged is then met once, however often it is brought in.
  const maps: YAMLMap[] = [];
  visit(document, { Map: (_key, map) => void maps.push(map) });
  for (const map of maps) expansion.expand(map);
  return expansion.problems;
}

class Expansion {
  readonly problems: MergeProblem[] = [];
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #state = new WeakMap<YAMLMap, 'under way' | 'done'>();
  readonly #sizes = new WeakMap<object, number>();
  #merged = 0;

  constructor(targets: ReadonlyMap<Alias, Node>) {
    this.#targets = targets;
  }

  expand(map: YAMLMap): void {
    if (this.#state.has(map)) return;
    this.#state.set(map, 'under way');
    const merges = map.items.filter(isMerge);
    if (merges.length > 0) {
      const own = map.items.filter((pair) => !isMerge(pair));
      const names = new Set(own.map(nameOf));
      map.items = own;
      for (const merge of merges) this.#merge(map, merge, names);
    }
    this.#state.set(map, 'done');
  }

  #merge(map: YAMLMap, { key, value }: Pair, names: Set<unknown>): void {
    const source = this.#resolve(value);
    for (const item of isSeq(source) ? source.items : [source]) {
      const base = this.#resolve(item);
      if (!isMap(base)) {
        this.#report(isNode(item) ? item : key, 'a merge key takes a mapping, or a list of mappings');
        continue;
      }
      if (this.#state.get(base) === 'under way') {
        this.#report(item, 'a mapping cannot be merged into itself');
        continue;
      }
      this.expand(base);
      this.#take(map, base, names, key);
    }
  }

  #take(map: YAMLMap, base: YAMLMap, names: Set<unknown>, key: unknown): void {
    for (const pair of base.items) {
      const name = nameOf(pair);
      if (names.has(name)) continue;
      const before = this.#merged;
      this.#merged += this.#size(pair.value);
      if (this.#merged > MERGED_MAX) {
        if (before <= MERGED_MAX) this.#report(key, `merge keys bring in more than ${MERGED_MAX} values`);
        return;
      }
      names.add(name);
      map.items.push(pair);
    }
  }

  /** Nodes at and below one, an alias being one. */
  #size(node: unknown): number {
    if (!isMap(node) && !isSeq(node)) return 1;
    const known = this.#sizes.get(node);
    if (known !== undefined) return known;
    const inner: readonly unknown[] = isMap(node) ? node.items.map(({ value }) => value) : node.items;
    const size = inner.reduce<number>((sum, item) => sum + this.#size(item), 1);
    this.#sizes.set(node, size);
    return size;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  #report(node: unknown, message: string): void {
    this.problems.push({ offset: isNode(node) ? (node.range?.[0] ?? 0) : 0, message });
  }
}

function isMerge(pair: unknown): pair is Pair {
  if (!isPair(pair) || !isScalar(pair.key)) return false;
  const { value, type, tag } = pair.key;
  // Under `%YAML 1.1` the library reads the key as a symbol.
  const isKey = value === '<<' || (typeof value === 'symbol' && value.description === '<<');
  return isKey && type === 'PLAIN' && tag === undefined;
}

function nameOf({ key }: Pair): unknown {
  return isScalar(key) ? key.value : key;
}
