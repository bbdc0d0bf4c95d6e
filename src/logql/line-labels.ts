import type { Labels } from '../model/series.ts';
import { newLabels, type Line } from './line.ts';

export const ERROR = '__error__';
export const ERROR_DETAILS = '__error_details__';

/** What went wrong with a line. */
export type LineError =
  'JSONParserErr' | 'LogfmtParserErr' | 'LabelFilterErr' | 'SampleExtractionErr' | 'TemplateFormatErr';

/**
 * The labels of one line on its way through a pipeline: those of its stream, its metadata, and what was parsed. A name
 * belongs to the stream before the metadata before what is parsed; who loses it is called `<name>_extracted`. One object
 * serves all lines of a query, one after another.
 */
export class LineLabels {
  #line!: Line;
  #stream!: Labels;
  #metadata: Labels | undefined;
  /** Set by parsers and by label_format; hides what lies below it. */
  readonly #parsed = new Map<string, string>();
  /** Names of the stream and the metadata that are gone. */
  readonly #gone = new Set<string>();
  error = '';
  errorDetails = '';
  /** Of the error of a condition. */
  #failed: { readonly stage: object; readonly name: string } | undefined;

  begin(line: Line): void {
    this.#line = line;
    this.#stream = line.stream;
    this.#metadata = undefined;
    if (this.#parsed.size > 0) this.#parsed.clear();
    if (this.#gone.size > 0) this.#gone.clear();
    this.error = '';
    this.errorDetails = '';
  }

  get line(): Line {
    return this.#line;
  }

  fail(error: LineError, details = ''): void {
    this.error = error;
    this.errorDetails = details;
  }

  /**
   * A condition that could not convert a label. Of one stage the first says what is wrong; of several stages the one whose
   * label was parsed first.
   */
  failFilter(stage: object, name: string, details: string): void {
    const other = this.#failed;
    if (this.error !== '' && (stage === other?.stage || !this.#isParsedBefore(name, other?.name ?? '')))
      return;
    this.#failed = { stage, name };
    this.fail('LabelFilterErr', details);
  }

  #isParsedBefore(name: string, other: string): boolean {
    for (const parsed of this.#parsed.keys()) {
      if (parsed === other) return false;
      if (parsed === name) return true;
    }
    return false;
  }

  /** Undefined where the line has no such label. */
  get(name: string): string | undefined {
    if (this.#parsed.size > 0) {
      const parsed = this.#parsed.get(name);
      if (parsed !== undefined) return parsed;
    }
    if (this.#gone.size > 0 && this.#gone.has(name)) return undefined;
    const own = this.#stream[name];
    if (own !== undefined) return own;
    const metadata = this.#meta()[name];
    if (metadata !== undefined) return metadata;
    if (name === ERROR) return this.error === '' ? undefined : this.error;
    if (name === ERROR_DETAILS) return this.errorDetails === '' ? undefined : this.errorDetails;
    return undefined;
  }

  /** The metadata whose names no label of the stream has; one that lost its name is there under the other. */
  #meta(): Labels {
    this.#metadata ??= apartFrom(this.#stream, this.#line.metadata);
    return this.#metadata;
  }

  /** A name that a parser found: the first value wins. Gives the name under which it is kept, if it is. */
  addParsed(name: string, value: string): void {
    const meta = this.#meta();
    let own = name;
    if (this.#stream[name] !== undefined || meta[name] !== undefined) {
      own = `${name}_extracted`;
      if (this.#isLost(name)) this.#gone.add(own);
    }
    if (!this.#parsed.has(own)) this.#parsed.set(own, value);
  }

  /** Metadata that lost the same name. */
  #isLost(name: string): boolean {
    return this.#stream[name] !== undefined && this.#line.metadata[name] !== undefined;
  }

  /** Whether a stage took away metadata of the line: whoever says what is not to split series means the rest to. */
  get hasDroppedMetadata(): boolean {
    for (const name of this.#gone) {
      if (name !== 'detected_level' && this.#line.metadata[name] !== undefined && !this.#parsed.has(name))
        return true;
    }
    return false;
  }

  /** label_format: whatever had the name has it no more. */
  set(name: string, value: string): void {
    this.#parsed.set(name, value);
    this.#gone.add(name);
  }

  remove(name: string): void {
    if (name === ERROR) this.error = '';
    else if (name === ERROR_DETAILS) this.errorDetails = '';
    this.#parsed.delete(name);
    this.#gone.add(name);
  }

  /** All names, those of errors apart. */
  names(): string[] {
    return [...new Set([...this.#parsed.keys(), ...this.#below(this.#stream), ...this.#below(this.#meta())])];
  }

  #below(labels: Labels): string[] {
    const names = Object.keys(labels);
    return this.#gone.size === 0 ? names : names.filter((name) => !this.#gone.has(name));
  }

  /** Labels of the stream that are left as they were. */
  streamLabels(): Labels {
    if (this.#gone.size === 0 && this.#parsed.size === 0) return this.#stream;
    return this.#left(this.#stream);
  }

  metadataLabels(): Labels {
    return this.#left(this.#meta());
  }

  #left(labels: Labels): Labels {
    const left = newLabels();
    for (const name in labels)
      if (!this.#gone.has(name) && !this.#parsed.has(name)) left[name] = labels[name]!;
    return left;
  }

  /** What was parsed or set, with the error if there is one. */
  parsedLabels(): Labels {
    const labels = newLabels();
    for (const [name, value] of this.#parsed) labels[name] = value;
    if (this.error !== '') labels[ERROR] = this.error;
    if (this.errorDetails !== '') labels[ERROR_DETAILS] = this.errorDetails;
    return labels;
  }

  all(): Labels {
    const labels = newLabels();
    Object.assign(labels, this.streamLabels(), this.metadataLabels(), this.parsedLabels());
    return labels;
  }
}

function apartFrom(stream: Labels, metadata: Labels): Labels {
  let clash = false;
  for (const name in metadata) {
    if (stream[name] === undefined) continue;
    clash = true;
    break;
  }
  if (!clash) return metadata;
  const apart = newLabels();
  for (const name in metadata)
    apart[stream[name] === undefined ? name : `${name}_extracted`] = metadata[name]!;
  return apart;
}
