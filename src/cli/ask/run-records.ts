import { WebSocket } from 'ws';
import { quoteGoString } from '../../promql/go-string.ts';
import { parsePromqlDuration } from '../../promql/promql-duration.ts';
import { UsageError } from '../usage-error.ts';
import { COLLECTOR_URL, Remote, type RemoteOptions } from './remote.ts';
import { lineJson, lineText, type ShownLine } from './line-text.ts';

export interface RecordsOptions extends RemoteOptions {
  readonly since: string;
  readonly limit: string;
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly context?: string;
  readonly json?: boolean;
}

interface StreamsAnswer {
  readonly data: {
    readonly resultType: string;
    readonly result: readonly {
      readonly stream: Readonly<Record<string, string>>;
      readonly values: readonly StreamLine[];
    }[];
  };
}

type StreamLine = readonly [time: string, line: string, extra?: LineExtra];

interface LineExtra {
  readonly structuredMetadata?: Readonly<Record<string, string>>;
  readonly parsed?: Readonly<Record<string, string>>;
  readonly place?: string;
}

const PAGE_LINES = 5000;
const LIMIT_MAX = 50_000;
const CONTEXT_MAX = 1000;
const FLAGS = { 'x-loki-response-encoding-flags': 'categorize-labels,places' };

/** `taffrail records`: lines go to stdout as they are found. */
export async function runRecords(given: string, options: RecordsOptions): Promise<void> {
  const remote = new Remote(options, [COLLECTOR_URL]);
  const query = queryOf(given);
  const context = options.context === undefined ? 0 : whole('--context', options.context, CONTEXT_MAX);
  const printer = new Printer(remote, context, options.json === true);
  if (options.follow === true && context > 0) throw new UsageError('--context does not go with --follow');
  if (options.follow === true) return follow(remote, query, options, printer);
  if (options.all === true) return all(remote, query, options, printer);
  const limit = whole('--limit', options.limit, LIMIT_MAX);
  const { lines } = await page(remote, {
    query,
    ...times(options.since),
    limit: String(limit),
    direction: 'backward',
  });
  await printer.print(lines.reverse());
}

/** What does not look like LogQL is a text to find, in any case. */
function queryOf(given: string): string {
  if (/^\s*[({]/.test(given)) return given;
  const escaped = given.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return `{service_name=~".+"} |~ ${quoteGoString(`(?i)${escaped}`)}`;
}

async function all(
  remote: Remote,
  query: string,
  { since }: RecordsOptions,
  printer: Printer,
): Promise<void> {
  const parameters = { query, ...times(since), limit: String(PAGE_LINES), direction: 'forward' };
  let next: string | undefined;
  do {
    const found = await page(remote, { ...parameters, ...(next !== undefined && { before: next }) });
    await printer.print(found.lines);
    ({ next } = found);
  } while (next !== undefined);
}

async function page(
  remote: Remote,
  parameters: Readonly<Record<string, string>>,
): Promise<{ readonly lines: ShownLine[]; readonly next: string | undefined }> {
  const { json, header } = await remote.page('/loki/api/v1/query_range', parameters, {
    headers: FLAGS,
    read: 'x-taffrail-next',
  });
  const { data } = json as StreamsAnswer;
  if (data.resultType !== 'streams')
    throw new UsageError('the query is for samples; ask for them with taffrail query --logql');
  const sign = parameters['direction'] === 'backward' ? -1 : 1;
  const lines = data.result.flatMap(({ stream, values }) =>
    values.map(([time, text, extra = {}]) => ({
      time,
      text,
      place: extra.place ?? '',
      labels: stream,
      fields: { ...extra.structuredMetadata, ...extra.parsed },
    })),
  );
  return { lines: lines.sort((a, b) => comparePlaces(a.place, b.place) * sign), next: header };
}

/** Places are numbers with dots between. */
function comparePlaces(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (const [i, number] of left.entries()) if (number !== right[i]) return number - (right[i] ?? 0);
  return 0;
}

/** Lines of the answer of `/api/v1/records/around`. */
interface Around {
  readonly labels: Readonly<Record<string, string>>;
  readonly lines: readonly {
    readonly time: string;
    readonly text: string;
    readonly place: string;
    readonly metadata?: Readonly<Record<string, string>>;
  }[];
}

class Printer {
  readonly #remote: Remote;
  readonly #context: number;
  readonly #json: boolean;
  readonly #printed = new Set<string>();
  #any = false;

  constructor(remote: Remote, context: number, json: boolean) {
    this.#remote = remote;
    this.#context = context;
    this.#json = json;
  }

  async print(lines: readonly ShownLine[]): Promise<void> {
    if (this.#context === 0) return this.#write(lines.map((line) => this.#shown(line)));
    for (const line of lines) await this.#around(line);
  }

  /** Neighbours that were shown already are not shown again; a gap is marked as grep does. */
  async #around(line: ShownLine): Promise<void> {
    if (this.#printed.has(line.place)) return;
    const count = String(this.#context);
    const { labels, lines } = await this.#remote.data<Around>('/api/v1/records/around', {
      id: line.place,
      before: count,
      after: count,
    });
    const fresh = lines.filter(({ place }) => !this.#printed.has(place));
    if (this.#any && fresh.length === lines.length && !this.#json) process.stdout.write('--\n');
    this.#any = true;
    for (const { place } of fresh) this.#printed.add(place);
    this.#write(
      fresh.map(({ time, text, place, metadata = {} }) =>
        this.#shown(
          place === line.place ? line : { time, text, place, labels, fields: metadata, isContext: true },
        ),
      ),
    );
  }

  #shown(line: ShownLine): string {
    return this.#json ? lineJson(line) : lineText(line);
  }

  #write(texts: readonly string[]): void {
    if (texts.length > 0) process.stdout.write(texts.map((text) => `${text}\n`).join(''));
  }
}

async function follow(
  remote: Remote,
  query: string,
  { since, limit }: RecordsOptions,
  printer: Printer,
): Promise<void> {
  const { start } = times(since);
  const { url, headers } = remote.webSocket('/loki/api/v1/tail', {
    query,
    start,
    limit: String(whole('--limit', limit, 5000)),
  });
  const socket = new WebSocket(url, { headers });
  process.once('SIGINT', () => socket.close());
  let printed = Promise.resolve();
  socket.on('message', (data: Buffer) => {
    const { streams } = JSON.parse(data.toString('utf8')) as {
      streams: { stream: Record<string, string>; values: [string, string][] }[];
    };
    const lines = streams.flatMap(({ stream, values }) =>
      values.map(([time, text]) => ({ time, text, place: '', labels: stream, fields: {} })),
    );
    lines.sort((a, b) => (BigInt(a.time) < BigInt(b.time) ? -1 : BigInt(a.time) > BigInt(b.time) ? 1 : 0));
    printed = printed.then(() => printer.print(lines));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('close', (code, reason) => {
      if (code === 1000 || code === 1005) resolve();
      else
        reject(new UsageError(`the collector ended the view: ${reason.toString('utf8') || `code ${code}`}`));
    });
    socket.on('error', (error) => reject(new UsageError(`the lines cannot be followed: ${error.message}`)));
  });
  await printed;
}

function times(since: string): { readonly start: string; readonly end: string } {
  const ms = parsePromqlDuration(since);
  if (ms === undefined || ms <= 0)
    throw new UsageError(`--since ${since}: expected a duration such as 30m, 2h or 7d`);
  const now = Date.now();
  // A line of this very moment is one, too.
  return { start: `${now - ms}000000`, end: `${now + 1}000000` };
}

function whole(option: string, text: string, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`${option} ${text}: expected a whole number from 1 to ${most}`);
}
