import { newLabels, type Line } from '../../logql/line.ts';
import { levelOfLabels, levelOfLine, levelOfSeverity } from '../../logql/level.ts';
import type { Labels } from '../../model/series.ts';
import {
  type AnyValue,
  anyValueText,
  DecodeBudget,
  readAnyValue,
  readAttribute,
} from '../../wire/any-value.ts';
import { ProtoReader, readNanos } from '../../wire/protobuf.ts';
import { addMetadata, FILE_PATH, type ResourceLines } from './stream-labels.ts';

/** Of what is read of one record nothing is kept, so there is no limit; but keys are known again. */
const budget = new DecodeBudget(Number.MAX_SAFE_INTEGER);
const FILE_KEY = Buffer.from(FILE_PATH);

/** Labels of streams by their file, one object each. */
export class StreamsOfResource {
  readonly shared: ResourceLines;
  readonly #byFile = new Map<string, Labels>();

  constructor(shared: ResourceLines) {
    this.shared = shared;
  }

  of(file: string): Labels {
    if (file === '') return this.shared.labels;
    let labels = this.#byFile.get(file);
    if (labels === undefined) {
      const named = newLabels();
      Object.assign(named, this.shared.labels, { filename: file });
      labels = named;
      if (this.#byFile.size > 10_000) this.#byFile.clear();
      this.#byFile.set(file, labels);
    }
    return labels;
  }
}

/** A run of records as a store has it: `log_records` fields one behind the other. */
export interface RecordRun {
  readonly bytes: Buffer;
  readonly receivedMs: number;
  /** Says where the run stands among others of the same time. */
  readonly number: number;
  readonly streams: StreamsOfResource;
}

/** A line in a run. What is not asked for is not decoded. */
export class RecordLine implements Line {
  readonly ms: number;
  readonly nanos: number;
  /** Its place in the run. */
  readonly index: number;
  readonly run: RecordRun;
  readonly #start: number;
  readonly #end: number;
  readonly #body: number;
  #text: string | undefined;
  #stream: Labels | undefined;
  #metadata: Labels | undefined;

  constructor(
    run: RecordRun,
    index: number,
    place: { start: number; end: number; body: number },
    time: { ms: number; nanos: number },
  ) {
    this.run = run;
    this.index = index;
    this.#start = place.start;
    this.#end = place.end;
    this.#body = place.body;
    this.ms = time.ms;
    this.nanos = time.nanos;
  }

  get rank(): readonly [number, number] {
    return [this.run.number, this.index];
  }

  get text(): string {
    this.#text ??= this.#body < 0 ? '' : bodyText(this.run.bytes, this.#body, this.#end);
    return this.#text;
  }

  get stream(): Labels {
    this.#stream ??= this.run.streams.shared.namesFiles
      ? this.run.streams.of(fileOf(this.run.bytes, this.#start, this.#end))
      : this.run.streams.shared.labels;
    return this.#stream;
  }

  get metadata(): Labels {
    this.#metadata ??= this.#readMetadata();
    return this.#metadata;
  }

  #readMetadata(): Labels {
    const reader = recordReader(this.run.bytes, this.#start, this.#end);
    const attributes: Record<string, AnyValue> = {};
    const metadata = newLabels();
    let severity = 0;
    let severityText = '';
    while (reader.next()) {
      switch (reader.field) {
        case 2:
          severity = reader.uint();
          break;
        case 3:
          severityText = reader.string();
          break;
        case 6:
          readAttribute(reader, attributes, budget);
          break;
        case 8: {
          const flags = reader.fixed32();
          if (flags !== 0) metadata['flags'] = String(flags);
          break;
        }
        case 9:
          addId(metadata, 'trace_id', reader.blob());
          break;
        case 10:
          addId(metadata, 'span_id', reader.blob());
          break;
        case 11: {
          const { ms, nanos } = readNanos(reader.bytes, reader.eight());
          if (ms > 0) metadata['observed_timestamp'] = `${ms}${String(nanos).padStart(6, '0')}`;
          break;
        }
        case 12:
          metadata['event_name'] = reader.string();
          break;
        default:
          reader.skip();
      }
    }
    for (const name in attributes) if (name !== FILE_PATH) addMetadata(metadata, name, attributes[name]!);
    if (severity > 0) metadata['severity_number'] ??= String(severity);
    if (severityText !== '') metadata['severity_text'] ??= severityText;
    const { shared } = this.run.streams;
    for (const name in shared.metadata) metadata[name] ??= shared.metadata[name]!;
    metadata['detected_level'] ??= this.#level(severity, severityText, metadata, attributes);
    return metadata;
  }

  #level(
    severity: number,
    text: string,
    metadata: Labels,
    attributes: Readonly<Record<string, AnyValue>>,
  ): string {
    const said = levelOfSeverity(severity, text) ?? levelOfLabels(this.run.streams.shared.labels, metadata);
    if (said !== undefined) return said;
    // A line that a pack has taken apart has no level where the pack found none.
    for (const name in attributes) if (name !== FILE_PATH) return 'unknown';
    return levelOfLine(this.text);
  }
}

function addId(metadata: Record<string, string>, name: string, id: Uint8Array): void {
  if (id.length > 0) metadata[name] = Buffer.from(id).toString('hex');
}

function recordReader(bytes: Buffer, start: number, end: number): ProtoReader {
  const reader = new ProtoReader(bytes);
  reader.at = start;
  reader.end = end;
  return reader;
}

/** `at` is the place of the field that holds the body. */
function bodyText(bytes: Buffer, at: number, end: number): string {
  const reader = recordReader(bytes, at, end);
  reader.next();
  const start = reader.at;
  const outer = reader.enter();
  // Nearly always it is a text, and nothing else.
  if (reader.next() && reader.field === 1) {
    const text = reader.string();
    if (reader.at === reader.end) return text;
  }
  reader.leave(outer);
  reader.at = start;
  reader.wireType = 2;
  return anyValueText(readAnyValue(reader, budget));
}

/** The value of `log.file.path` among the attributes of a record, found without reading the others. */
function fileOf(bytes: Buffer, start: number, end: number): string {
  const reader = recordReader(bytes, start, end);
  while (reader.next()) {
    if (reader.field === 6) {
      const outer = reader.enter();
      const file = fileInAttribute(reader);
      reader.leave(outer);
      if (file !== undefined) return file;
    } else reader.skip();
  }
  return '';
}

function fileInAttribute(reader: ProtoReader): string | undefined {
  let found = false;
  while (reader.next()) {
    if (reader.field === 1) {
      const key = reader.blobStart();
      found = reader.at - key === FILE_KEY.length && FILE_KEY.compare(reader.bytes, key, reader.at) === 0;
      if (!found) return undefined;
    } else if (reader.field === 2 && found) return anyValueText(readAnyValue(reader, budget));
    else reader.skip();
  }
  return undefined;
}

/** Which records of a run are wanted: by time, and by texts that their bytes must hold. */
export interface RunFilter {
  readonly fits: (ms: number, nanos: number) => boolean;
  readonly needles: readonly Buffer[];
}

/** The lines of a run that may fit, in its order. */
export function linesIn(run: RecordRun, { fits, needles }: RunFilter): RecordLine[] {
  const { bytes } = run;
  for (const needle of needles) if (bytes.indexOf(needle) < 0) return [];
  const [needle] = needles;
  const reader = new ProtoReader(bytes);
  const found: RecordLine[] = [];
  let hit = 0;
  for (let index = 0; ; index++) {
    if (!toNextRecord(reader)) return found;
    const start = reader.blobStart();
    const end = reader.at;
    if (needle !== undefined) {
      if (hit < start) hit = bytes.indexOf(needle, start);
      if (hit < 0) return found;
      if (hit + needle.length > end) continue;
    }
    const line = readLine(run, index, start, end);
    if (fits(line.ms, line.nanos)) found.push(line);
  }
}

function toNextRecord(reader: ProtoReader): boolean {
  while (reader.next()) {
    if (reader.field === 2) return true;
    reader.skip();
  }
  return false;
}

function readLine(run: RecordRun, index: number, start: number, end: number): RecordLine {
  const reader = recordReader(run.bytes, start, end);
  let timeAt = -1;
  let observedAt = -1;
  let body = -1;
  while (reader.at < end) {
    const at = reader.at;
    reader.next();
    if (reader.field === 1) timeAt = reader.eight();
    else if (reader.field === 11) observedAt = reader.eight();
    else {
      if (reader.field === 5) body = at;
      reader.skip();
    }
  }
  return new RecordLine(run, index, { start, end, body }, timeOf(run, timeAt, observedAt));
}

/** By its own time, else by when it was observed, else by when it came. */
function timeOf(
  { bytes, receivedMs }: RecordRun,
  timeAt: number,
  observedAt: number,
): { ms: number; nanos: number } {
  if (timeAt >= 0) {
    const time = readNanos(bytes, timeAt);
    if (time.ms > 0) return time;
  }
  const observedMs = observedAt < 0 ? 0 : readNanos(bytes, observedAt).ms;
  return { ms: observedMs > 0 ? observedMs : receivedMs, nanos: 0 };
}

/** Negative where `a` is older; equal times keep the order in which they were stored. */
export function oldestFirst(a: RecordLine, b: RecordLine): number {
  return a.ms - b.ms || a.nanos - b.nanos || a.run.number - b.run.number || a.index - b.index;
}
