import type { LogExpr } from './ast.ts';
import { eachMember, JsonMistake, unescapeJson, type JsonSpan } from './json-scan.ts';
import { labelName, labelNamePart } from './label-name.ts';
import type { Line } from './line.ts';
import { LineLabels } from './line-labels.ts';
import { parseBytes, parseGoDuration } from './literals.ts';
import { LogfmtScan } from './logfmt-scan.ts';
import { compilePipeline, type StageStep } from './pipeline.ts';

export type FieldType = 'int' | 'float' | 'boolean' | 'duration' | 'bytes' | 'string';

/** A field that lines have: in their metadata (then no parser finds it), or in their text. */
export interface DetectedField {
  readonly label: string;
  readonly type: FieldType;
  readonly values: readonly string[];
  readonly parsers: readonly string[] | null;
  readonly jsonPath?: readonly string[];
}

interface Field {
  readonly label: string;
  type: FieldType;
  readonly values: Set<string>;
  readonly parsers: Set<string>;
  jsonPath: readonly string[] | undefined;
}

const FIELDS_MAX = 1000;
const VALUES_MAX = 1000;
const JSON_DEPTH_MAX = 12;

/** Finds out which fields the lines of a query have. */
export class FieldDetector {
  readonly #step: StageStep;
  readonly #labels = new LineLabels();
  readonly #fields = new Map<string, Field>();

  constructor({ stages }: LogExpr) {
    this.#step = compilePipeline(stages);
  }

  /** Whether the line is one of the query's. */
  isOf(line: Line): boolean {
    this.#labels.begin(line);
    return this.#step(line.text, this.#labels) !== undefined;
  }

  add(line: Line): void {
    const labels = this.#labels;
    labels.begin(line);
    const text = this.#step(line.text, labels);
    if (text === undefined) return;
    const { metadata } = line;
    for (const name in metadata) this.#see(name, metadata[name]!, undefined);
    if (/^\s*\{/.test(text)) this.#json(text);
    else this.#logfmt(text);
  }

  fields(): readonly DetectedField[] {
    return Array.from(this.#fields.values(), ({ label, type, values, parsers, jsonPath }) => ({
      label,
      type,
      values: [...values],
      parsers: parsers.size === 0 ? null : [...parsers],
      ...(jsonPath !== undefined && { jsonPath }),
    }));
  }

  #json(text: string): void {
    try {
      this.#members(text, 0, text.length, '', []);
    } catch (error) {
      if (!(error instanceof JsonMistake)) throw error;
    }
  }

  #members(text: string, start: number, end: number, prefix: string, path: readonly string[]): void {
    if (path.length > JSON_DEPTH_MAX) return;
    eachMember(text, start, end, (key, value) => {
      if (key === '' || value.type === 'array' || value.type === 'null') return false;
      const name = prefix === '' ? labelName(key) : `${prefix}_${labelNamePart(key)}`;
      if (value.type === 'object') this.#members(text, value.start, value.end, name, [...path, key]);
      else this.#see(name, textOf(text, value), 'json', [...path, key]);
      return false;
    });
  }

  #logfmt(text: string): void {
    if (!text.includes('=')) return;
    const scan = new LogfmtScan(text);
    for (;;) {
      if (scan.next()) {
        if (scan.value !== undefined && scan.value !== '')
          this.#see(labelName(scan.key), scan.value, 'logfmt');
      } else {
        if (scan.mistake === undefined) return;
        scan.skip();
      }
    }
  }

  #see(name: string, value: string, parser: string | undefined, jsonPath?: readonly string[]): void {
    const { stream, metadata } = this.#labels.line;
    const clashes = stream[name] !== undefined || (parser !== undefined && metadata[name] !== undefined);
    const label = clashes ? `${name}_extracted` : name;
    let field = this.#fields.get(label);
    if (field === undefined) {
      if (this.#fields.size >= FIELDS_MAX) return;
      field = { label, type: fieldType(value), values: new Set(), parsers: new Set(), jsonPath };
      this.#fields.set(label, field);
    }
    if (parser !== undefined) field.parsers.add(parser);
    if (field.values.size < VALUES_MAX) field.values.add(value);
  }
}

function textOf(text: string, value: JsonSpan): string {
  return value.type === 'string'
    ? unescapeJson(text, value.start, value.end)
    : text.slice(value.start, value.end);
}

/** By the look of one value. */
function fieldType(value: string): FieldType {
  if (/^[-+]?\d{1,19}$/.test(value)) return 'int';
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$|^[-+]?(?:inf|nan)$/i.test(value)) return 'float';
  if (/^(?:true|false|t|f)$/i.test(value)) return 'boolean';
  if (typeof parseGoDuration(value) === 'number') return 'duration';
  if (typeof parseBytes(value) === 'number') return 'bytes';
  return 'string';
}
