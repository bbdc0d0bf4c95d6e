import type { Alias, Node, Pair, Scalar, YAMLMap } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { aliasTargets, expandMergeKeys } from '../model/yaml-merge.ts';
import { nearestWord } from './nearest-word.ts';
import type { RuleProblem } from './rule.ts';

/** Largest file, in characters. */
const TEXT_MAX = 5_000_000;
const VALUE_SHOWN_MAX = 200;
/** Most mappings that are read of one file, those behind aliases each time that they are named. */
const NODES_MAX = 200_000;

/**
 * Reads a YAML file (or JSON, which is YAML) node by node, collecting each mistake with its place. Readers return
 * undefined where there is nothing usable; what was wrong is in `problems`.
 */
export class YamlReader {
  readonly file: string;
  readonly problems: RuleProblem[] = [];
  readonly root: Node | undefined;
  readonly #lines = new LineCounter();
  readonly #aliases: ReadonlyMap<Alias, Node> = new Map();
  #nodesRead = 0;

  constructor(text: string, file: string) {
    this.file = file;
    if (text.length > TEXT_MAX) {
      this.problemAt(0, '', `the file is longer than ${TEXT_MAX} characters`);
      return;
    }
    const documents = parseAllDocuments(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
      customTags: ['binary'],
    });
    if (!Array.isArray(documents)) return;
    const [first, ...others] = documents;
    const second = others.find(({ contents }) => isNode(contents) && !isNull(contents));
    if (second !== undefined) {
      this.problemAt(second.range[0], '', 'a second YAML document', 'one document in a file');
    }
    for (const error of first?.errors ?? [])
      this.problemAt(error.pos[0], '', `YAML: ${firstLine(error.message)}`);
    if (first === undefined || first.errors.length > 0 || !isNode(first.contents)) return;
    this.#aliases = aliasTargets(first);
    for (const { offset, message } of expandMergeKeys(first)) this.problemAt(offset, '<<', message);
    if (this.problems.length === 0 && !isNull(first.contents)) this.root = first.contents;
  }

  problem(node: unknown, key: string, message: string, accepted?: string): void {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    this.problemAt(offset, key, message, accepted, isScalar(node) ? (node.source ?? '') : undefined);
  }

  problemAt(offset: number, key: string, message: string, accepted?: string, value?: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({
      file: this.file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      key,
      message,
      ...(value === undefined ? {} : { value: value.slice(0, VALUE_SHOWN_MAX) }),
      ...(accepted === undefined ? {} : { accepted }),
    });
  }

  line(node: Node): number {
    return Math.max(this.#lines.linePos(node.range?.[0] ?? 0).line, 1);
  }

  /** The entries of a mapping by key; keys that are not in `accepted` are mistakes. */
  fields(
    node: unknown,
    key: string,
    accepted: readonly string[],
    ignoreUnknown = false,
  ): Map<string, Node> | undefined {
    const map = this.map(node, key);
    if (map === undefined) return undefined;
    // Aliases within aliases can stand for more than any file holds.
    if (this.#nodesRead++ >= NODES_MAX) {
      if (this.#nodesRead === NODES_MAX + 1)
        this.problem(node, key, `the file stands for more than ${NODES_MAX} mappings`);
      return undefined;
    }
    const fields = new Map<string, Node>();
    for (const pair of map.items) {
      const name = this.#keyName(pair, key);
      if (name === undefined) continue;
      if (accepted.includes(name)) {
        const value = this.resolve(pair.value);
        if (value !== undefined && !isNull(value)) fields.set(name, value);
      } else if (!ignoreUnknown) {
        const near = nearestWord(name, accepted);
        const hint = near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`;
        this.problem(
          pair.key,
          join(key, name),
          `unknown key ${JSON.stringify(name)}${hint}`,
          accepted.join(', '),
        );
      }
    }
    return fields;
  }

  map(node: unknown, key: string): YAMLMap | undefined {
    const resolved = this.resolve(node);
    if (isMap(resolved)) return resolved;
    this.problem(resolved, key, `expected a mapping, found ${describe(resolved)}`);
    return undefined;
  }

  /** The items of a list; empty ones are passed over, as Prometheus does. */
  list(node: unknown, key: string): readonly Node[] {
    const resolved = this.resolve(node);
    if (resolved === undefined || isNull(resolved)) return [];
    if (!isSeq(resolved)) {
      this.problem(resolved, key, `expected a list, found ${describe(resolved)}`);
      return [];
    }
    return resolved.items
      .map((item) => this.resolve(item))
      .filter((item) => item !== undefined && !isNull(item)) as Node[];
  }

  /** Any scalar as the text in the file: `severity: 1` is "1", as Prometheus reads it. */
  text(node: unknown, key: string): string | undefined {
    const resolved = this.resolve(node);
    if (!isScalar(resolved)) {
      this.problem(resolved, key, `expected a string, found ${describe(resolved)}`);
      return undefined;
    }
    if (typeof resolved.value === 'string') return resolved.value;
    if (resolved.value instanceof Uint8Array) return Buffer.from(resolved.value).toString('utf8');
    return resolved.value === null ? '' : scalarText(resolved);
  }

  /** A mapping of strings, in the order in which it is written. */
  texts(
    node: unknown,
    key: string,
  ): Map<string, { readonly text: string; readonly node: Node; readonly keyNode: unknown }> {
    const texts = new Map<string, { text: string; node: Node; keyNode: unknown }>();
    if (node === undefined) return texts;
    for (const pair of this.map(node, key)?.items ?? []) {
      const name = this.#keyName(pair, key);
      const value = this.resolve(pair.value);
      if (name === undefined) continue;
      const text = value === undefined ? '' : this.text(value, join(key, name));
      if (text !== undefined && isNode(pair.key))
        texts.set(name, { text, node: value ?? pair.key, keyNode: pair.key });
    }
    return texts;
  }

  resolve(node: unknown): Node | undefined {
    if (isAlias(node)) return this.#aliases.get(node);
    return isNode(node) ? node : undefined;
  }

  #keyName(pair: unknown, key: string): string | undefined {
    if (isPair(pair) && isScalar(pair.key)) return textOfKey(pair);
    this.problem(isPair(pair) ? pair.key : undefined, key, 'a key must be a string');
    return undefined;
  }
}

/** As it is written in the file. */
function scalarText({ source }: Scalar): string {
  return source ?? '';
}

function textOfKey(pair: Pair): string {
  const key = pair.key;
  if (!isScalar(key)) return '';
  return typeof key.value === 'string' ? key.value : scalarText(key);
}

function join(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

function isNull(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

function describe(node: Node | undefined): string {
  if (node === undefined || isNull(node)) return 'nothing';
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  return isScalar(node) ? JSON.stringify(scalarText(node)) : 'something else';
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
