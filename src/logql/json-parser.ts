import type { JsonStage } from './ast.ts';
import { parseJsonPath, type PathStep } from './json-path.ts';
import { eachMember, elementAt, JsonMistake, type JsonSpan, skipBlank, unescapeJson } from './json-scan.ts';
import { labelName, labelNamePart, labelText } from './label-name.ts';
import type { LineLabels } from './line-labels.ts';

/** Parses a line into its labels. */
export type LineParser = (line: string, labels: LineLabels) => void;

const DEPTH_MAX = 100;

/** The stage `json`. With `wanted` it stops as soon as these names are found. */
export function jsonParser({ extractions }: JsonStage, wanted?: ReadonlySet<string>): LineParser {
  if (extractions.length === 0) return (line, labels) => new JsonFields(line, labels, wanted).read();
  const paths = extractions.map(({ name, path }) => ({ name, steps: parseJsonPath(path) }));
  return (line, labels) => readPaths(line, labels, paths);
}

/** Every member of an object, those of nested ones under joined names; lists and null are passed over. */
class JsonFields {
  readonly #line: string;
  readonly #labels: LineLabels;
  readonly #wanted: ReadonlySet<string> | undefined;
  #missing: number;
  #depth = 0;

  constructor(line: string, labels: LineLabels, wanted: ReadonlySet<string> | undefined) {
    this.#line = line;
    this.#labels = labels;
    this.#wanted = wanted;
    this.#missing = wanted?.size ?? Number.POSITIVE_INFINITY;
  }

  read(): void {
    try {
      this.#object('', 0, this.#line.length);
    } catch (error) {
      if (!(error instanceof JsonMistake)) throw error;
      this.#labels.fail('JSONParserErr', error.message);
    }
  }

  #object(prefix: string, start: number, end: number): void {
    if (++this.#depth > DEPTH_MAX) throw new JsonMistake('nested too deep');
    eachMember(this.#line, start, end, (key, value) => this.#member(prefix, key, value));
    this.#depth--;
  }

  #member(prefix: string, key: string, value: JsonSpan): boolean {
    if (key === '' || value.type === 'array' || value.type === 'null') return false;
    const name = prefix === '' ? labelName(key) : `${prefix}_${labelNamePart(key)}`;
    if (name === '') return false;
    if (value.type === 'object') {
      this.#object(name, value.start, value.end);
      return this.#missing <= 0;
    }
    const text =
      value.type === 'string'
        ? unescapeJson(this.#line, value.start, value.end)
        : this.#line.slice(value.start, value.end);
    this.#labels.addParsed(name, labelText(text));
    if (this.#wanted?.has(name) === true) this.#missing--;
    return this.#missing <= 0;
  }
}

interface NamedPath {
  readonly name: string;
  readonly steps: readonly PathStep[];
}

function readPaths(line: string, labels: LineLabels, paths: readonly NamedPath[]): void {
  if (line === '') return;
  const first = line[0]!;
  if (first !== '{' && first !== '[' && first !== '"') {
    labels.fail('JSONParserErr');
    return;
  }
  for (const { name, steps } of paths) labels.addParsed(name, labelText(valueAt(line, steps)));
}

function valueAt(line: string, steps: readonly PathStep[]): string {
  try {
    let value: JsonSpan | undefined = { type: 'object', start: 0, end: line.length, next: line.length };
    for (const step of steps) {
      value = stepInto(line, value, step);
      if (value === undefined) return '';
    }
    if (value.type === 'null') return '';
    if (value.type === 'string') return unescapeJson(line, value.start, value.end);
    return line.slice(value.start, value.end);
  } catch (error) {
    if (error instanceof JsonMistake) return '';
    throw error;
  }
}

function stepInto(line: string, value: JsonSpan, step: PathStep): JsonSpan | undefined {
  if (value.type === 'string') return undefined;
  if (typeof step === 'number') return elementAt(line, value.start, value.end, step);
  let found: JsonSpan | undefined;
  eachMember(line, value.start, value.end, (key, member) => {
    if (key !== step) return false;
    found = member;
    return true;
  });
  return found;
}

/** The stage `unpack`: the text values of an object whose `_entry` becomes the line. Gives the line that goes on. */
export function unpackLine(line: string, labels: LineLabels): string {
  if (line === '') return line;
  const start = skipBlank(line, 0);
  if (start < 0 || line[start] !== '{') {
    labels.fail('JSONParserErr', 'the line is no JSON object');
    return line;
  }
  const found: [string, string][] = [];
  let entry: string | undefined;
  try {
    eachMember(line, start, line.length, (key, value) => {
      if (value.type !== 'string') return false;
      const text = unescapeJson(line, value.start, value.end);
      if (key === '_entry') entry = text;
      else found.push([key, text]);
      return false;
    });
  } catch (error) {
    if (!(error instanceof JsonMistake)) throw error;
    labels.fail('JSONParserErr', error.message);
    return line;
  }
  if (entry === undefined) return line;
  for (const [key, text] of found) labels.addParsed(labelName(key), labelText(text));
  return entry;
}
