import type { PackMultiline } from '../config/pack-schema.ts';
import type { Envelope } from './envelope.ts';
import { compileContinuation } from './multiline.ts';
import type { Continuation } from './multiline.ts';
import type { JoinedLine } from './partial-lines.ts';

/** Runtimes have two streams; what else calls itself one is not followed beyond this. */
const STREAMS_MAX = 16;
/** An event is taken to be whole when so many lines of others have followed it. */
const OTHER_LINES_MAX = 500;
const EVENT_BYTES_MAX = 1024 * 1024;

interface Run {
  readonly head: string;
  readonly texts: string[];
  readonly first: number;
  last: number;
  lines: number;
  bytes: number;
  timeMs: number | undefined;
  open: boolean;
}

interface Open {
  readonly continuation: Continuation;
  run: Run | undefined;
  /** Empty lines after the run: they belong to it if what follows them does. */
  blanks: Run[];
}

/**
 * Joins wrapped lines whose texts make one event, stream by stream. Events come out in the order of their first lines,
 * and only those before which nothing is missing: so what came out is always all there is up to some line.
 */
export class WrappedRuns {
  readonly #envelope: Envelope;
  readonly #multiline: PackMultiline;
  readonly #streams = new Map<string, Open>();
  #runs: Run[] = [];
  /** By line: the first of those that must come out with it. */
  #cuts: number[] = [];
  #sizes: number[] = [];

  constructor(envelope: Envelope, multiline: PackMultiline) {
    this.#envelope = envelope;
    this.#multiline = multiline;
  }

  /** A new chunk. */
  reset(): void {
    this.#streams.clear();
    this.#runs = [];
    this.#cuts = [];
    this.#sizes = [];
  }

  /** Lines that belong together already: their bytes lie among each other. */
  push(batch: readonly JoinedLine[]): void {
    const cut = this.#cuts.length;
    for (const line of batch) {
      this.#cuts.push(cut);
      this.#sizes.push(line.bytes);
      this.#add(line, this.#cuts.length - 1);
    }
  }

  /** Takes events as they are, though more lines might belong to them. */
  close(): void {
    for (const stream of this.#streams.values()) this.#end(stream);
  }

  /** Events since the chunk began, and how many bytes they are together with nothing left out. */
  take(): { readonly events: readonly JoinedLine[]; readonly bytes: number } {
    this.#runs.sort((a, b) => a.first - b.first);
    let end = this.#cuts.length;
    for (const run of this.#runs.toReversed()) {
      if (run.first < end && (run.open || run.last >= end)) end = this.#cuts[run.first]!;
    }
    const events = this.#runs.filter((run) => run.last < end).map((run) => this.#event(run));
    let bytes = 0;
    for (let i = 0; i < end; i++) bytes += this.#sizes[i]!;
    this.reset();
    return { events, bytes };
  }

  #add(line: JoinedLine, index: number): void {
    const { text, lines, bytes } = line;
    const opened = this.#envelope.open(text);
    if (opened === undefined) {
      this.#runs.push({
        ...line,
        head: text,
        texts: [],
        first: index,
        last: index,
        timeMs: undefined,
        open: false,
      });
      return;
    }
    const { timeMs } = opened;
    this.#closeOld(index, timeMs);
    const stream = this.#stream(opened.stream);
    const next = {
      head: text,
      texts: [opened.text],
      first: index,
      last: index,
      lines,
      bytes,
      timeMs,
      open: true,
    };
    const run = stream.run;
    if (run?.open === true) {
      const full =
        run.lines + stream.blanks.length >= this.#multiline.max_lines || run.bytes >= EVENT_BYTES_MAX;
      if (!full && stream.continuation.continues(opened.text)) {
        for (const one of [...stream.blanks.splice(0), next]) extend(run, one);
        return;
      }
      if (!full && opened.text === '' && run.texts[0] !== '') {
        stream.blanks.push(next);
        return;
      }
      this.#end(stream);
    }
    stream.continuation.begin(opened.text);
    stream.run = next;
    this.#runs.push(next);
  }

  /** The run is whole, and the empty lines after it are none of it. */
  #end(stream: Open): void {
    if (stream.run !== undefined) stream.run.open = false;
    for (const blank of stream.blanks.splice(0)) this.#runs.push({ ...blank, open: false });
  }

  /** A stream that has nothing more to say must not hold up the others. */
  #closeOld(index: number, timeMs: number | undefined): void {
    for (const stream of this.#streams.values()) {
      const { run } = stream;
      if (run?.open !== true) continue;
      const late =
        timeMs !== undefined && run.timeMs !== undefined && timeMs - run.timeMs >= this.#multiline.timeout;
      if (late || index - run.last > OTHER_LINES_MAX) this.#end(stream);
    }
  }

  #stream(name: string): Open {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    if (this.#streams.size >= STREAMS_MAX) {
      const [oldest, open] = this.#streams.entries().next().value!;
      this.#end(open);
      this.#streams.delete(oldest);
    }
    const open = { continuation: compileContinuation(this.#multiline), run: undefined, blanks: [] };
    this.#streams.set(name, open);
    return open;
  }

  #event({ head, texts, lines, bytes }: Run): JoinedLine {
    const text = texts.length > 1 ? this.#envelope.refill(head, texts.join('\n')) : head;
    return { text, lines, bytes };
  }
}

function extend(run: Run, { texts, last, lines, bytes, timeMs }: Run): void {
  run.texts.push(...texts);
  run.last = last;
  run.lines += lines;
  run.bytes += bytes;
  run.timeMs = timeMs ?? run.timeMs;
}
