import { parseLogql } from '../../logql/parse-query.ts';
import type { Labels } from '../../model/series.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { uncompressBlock } from '../../wire/compression/snappy-block.ts';
import { WireError } from '../../wire/wire-error.ts';
import { labelsOf, type PushedLine, type PushedStream } from './push-records.ts';

/** What a push brings, and what of it was left out and why. */
export interface Push {
  readonly streams: readonly PushedStream[];
  readonly refused: readonly string[];
  readonly refusedLines: number;
}

export interface PushLimits {
  readonly nowMs: number;
  /** Lines older than this would be deleted at once. */
  readonly oldestMs: number;
}

const LINE_BYTES_MAX = 256 * 1024;
const LABELS_MAX = 15;
const NAME_MAX = 1024;
const VALUE_MAX = 2048;
const METADATA_MAX = 128;
const METADATA_BYTES_MAX = 64 * 1024;
const AHEAD_MS = 10 * 60_000;
const LINES_MAX = 500_000;
const REASONS_MAX = 10;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads a push in JSON. Throws WireError where it is not one at all. */
export function readPushJson(bytes: Uint8Array, limits: PushLimits): Push {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8').decode(bytes));
  } catch (error) {
    throw new WireError(`not JSON: ${(error as Error).message.slice(0, 200)}`, -1);
  }
  const collected = new Collected(limits);
  const streams = member(json, 'streams');
  if (!Array.isArray(streams)) throw new WireError('$.streams: expected a list', -1);
  for (const [i, stream] of streams.entries()) {
    const path = `$.streams[${i}]`;
    const labels = textMap(member(stream, 'stream'), `${path}.stream`);
    checkLabels(labels);
    const values = member(stream, 'values') ?? [];
    if (!Array.isArray(values)) throw new WireError(`${path}.values: expected a list`, -1);
    collected.begin(labels);
    for (const [k, value] of values.entries()) collected.add(jsonLine(value, `${path}.values[${k}]`));
  }
  return collected.push;
}

function jsonLine(value: unknown, path: string): PushedLine {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3)
    throw new WireError(`${path}: expected [time, line] or [time, line, metadata]`, -1);
  const [time, text, metadata] = value as readonly unknown[];
  if (typeof time !== 'string' || !/^\d{1,19}$/.test(time))
    throw new WireError(`${path}[0]: expected nanoseconds since 1970, as a text`, -1);
  if (typeof text !== 'string') throw new WireError(`${path}[1]: expected a text`, -1);
  const padded = time.padStart(7, '0');
  return {
    ms: Number(padded.slice(0, -6)),
    nanos: Number(padded.slice(-6)),
    text,
    metadata: metadata === undefined ? labelsOf([]) : textMap(metadata, `${path}[2]`),
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WireError('expected an object', -1);
  return (value as Record<string, unknown>)[name];
}

function textMap(value: unknown, path: string): Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WireError(`${path}: expected an object`, -1);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new WireError(`${path}.${name.slice(0, 60)}: expected a text`, -1);
  }
  return labelsOf(Object.entries(value as Record<string, string>));
}

/** Reads a push in protobuf: a Snappy block, as Loki's clients send it whatever the header says. Throws WireError. */
export function readPushProtobuf(bytes: Uint8Array, bytesMax: number, limits: PushLimits): Push {
  const reader = new ProtoReader(uncompressBlock(bytes, bytesMax));
  const collected = new Collected(limits);
  while (reader.next()) {
    if (reader.field === 1) readStream(reader, collected);
    else reader.skip();
  }
  return collected.push;
}

function readStream(reader: ProtoReader, collected: Collected): void {
  const outer = reader.enter();
  // Labels may stand behind the entries.
  const entries: PushedLine[] = [];
  let labels = labelsOf([]);
  while (reader.next()) {
    if (reader.field === 1) labels = labelsOfText(reader.string());
    else if (reader.field === 2) entries.push(readEntry(reader));
    else reader.skip();
  }
  reader.leave(outer);
  checkLabels(labels);
  collected.begin(labels);
  for (const entry of entries) collected.add(entry);
}

/** `{job="x"}`: a selector of equalities. */
function labelsOfText(text: string): Labels {
  if (/^\s*\{\s*\}\s*$/.test(text)) return labelsOf([]);
  try {
    const expr = parseLogql(text);
    if (expr.kind === 'log' && expr.stages.length === 0 && expr.matchers.every(({ kind }) => kind === '='))
      return labelsOf(expr.matchers.map(({ name, value }) => [name, value]));
  } catch (error) {
    throw new WireError(
      `labels ${JSON.stringify(text.slice(0, 200))}: ${(error as Error).message.split('\n')[0]}`,
      -1,
    );
  }
  throw new WireError(`labels ${JSON.stringify(text.slice(0, 200))}: expected {name="value", …}`, -1);
}

function readEntry(reader: ProtoReader): PushedLine {
  const outer = reader.enter();
  let time = { ms: 0, nanos: 0 };
  let text = '';
  const metadata: [string, string][] = [];
  while (reader.next()) {
    if (reader.field === 1) time = readTimestamp(reader);
    else if (reader.field === 2) text = reader.string();
    else if (reader.field === 3) metadata.push(readPair(reader));
    else reader.skip();
  }
  reader.leave(outer);
  return { ...time, text, metadata: labelsOf(metadata) };
}

function readTimestamp(reader: ProtoReader): { ms: number; nanos: number } {
  const outer = reader.enter();
  let seconds = 0;
  let nanos = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.uint();
    else if (reader.field === 2) nanos = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return { ms: seconds * 1000 + Math.floor(nanos / 1e6), nanos: nanos % 1e6 };
}

function readPair(reader: ProtoReader): [string, string] {
  const outer = reader.enter();
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  return [name, value];
}

/** A stream with labels that cannot be is the sender's mistake as a whole. */
function checkLabels(labels: Labels): void {
  const names = Object.keys(labels);
  if (names.length > LABELS_MAX)
    throw new WireError(`a stream has ${names.length} labels; at most ${LABELS_MAX}`, -1);
  for (const name of names) {
    if (!NAME.test(name) || name.length > NAME_MAX)
      throw new WireError(
        `label ${JSON.stringify(name.slice(0, 100))}: expected letters, digits and _, not a digit first`,
        -1,
      );
    if (labels[name]!.length > VALUE_MAX)
      throw new WireError(`label ${name.slice(0, 100)}: its value is longer than ${VALUE_MAX}`, -1);
  }
}

/** Sorts lines out: the good ones are stored though others are refused. */
class Collected {
  readonly #limits: PushLimits;
  readonly #streams: { labels: Labels; lines: PushedLine[] }[] = [];
  readonly #reasons: string[] = [];
  #lines = 0;
  #refused = 0;
  #current: { labels: Labels; lines: PushedLine[] } | undefined;

  constructor(limits: PushLimits) {
    this.#limits = limits;
  }

  get push(): Push {
    return { streams: this.#streams, refused: this.#reasons, refusedLines: this.#refused };
  }

  begin(labels: Labels): void {
    const kept = labelsOf(Object.entries(labels).filter(([, value]) => value !== ''));
    this.#current = { labels: kept, lines: [] };
    this.#streams.push(this.#current);
  }

  add(line: PushedLine): void {
    if (++this.#lines > LINES_MAX) throw new WireError(`a push holds more than ${LINES_MAX} lines`, -1);
    const why = this.#complaint(line);
    if (why === undefined) this.#current!.lines.push(line);
    else {
      this.#refused++;
      if (this.#reasons.length < REASONS_MAX) this.#reasons.push(why);
    }
  }

  #complaint({ ms, text, metadata }: PushedLine): string | undefined {
    const { nowMs, oldestMs } = this.#limits;
    const shown = (): string => new Date(Math.min(ms, 8.64e15)).toISOString();
    if (ms > nowMs + AHEAD_MS)
      return `a line of ${shown()} is too new: more than 10 minutes ahead of this clock`;
    if (ms < oldestMs) return `a line of ${shown()} is too old: older than what is kept`;
    const bytes = Buffer.byteLength(text);
    if (bytes > LINE_BYTES_MAX) return `a line of ${bytes} bytes is longer than ${LINE_BYTES_MAX}`;
    const names = Object.keys(metadata);
    if (names.length > METADATA_MAX)
      return `a line has ${names.length} pairs of metadata; at most ${METADATA_MAX}`;
    const size = names.reduce((sum, name) => sum + name.length + metadata[name]!.length, 0);
    return size > METADATA_BYTES_MAX
      ? `a line has ${size} bytes of metadata; at most ${METADATA_BYTES_MAX}`
      : undefined;
  }
}
