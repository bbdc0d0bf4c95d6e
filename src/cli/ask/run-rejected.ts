import type { ListedRejection } from '../../agent/rejected-routes.ts';
import type { RejectedLine } from '../../agent/read-rejected.ts';
import type { RejectedEnd } from '../../model/sink.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { table } from '../style.ts';
import { UsageError } from '../usage-error.ts';
import { Remote, type RemoteOptions } from './remote.ts';

export interface RejectedOptions extends RemoteOptions {
  readonly json?: boolean;
  readonly sink?: string;
  readonly all?: boolean;
}

const REASON_WIDTH = 70;
const PATH = '/api/v1/rejected';

export async function listRejected(options: RejectedOptions): Promise<void> {
  const found = await fetchRejected(new Remote(options), options.sink);
  print(options, found, renderRejected(found));
}

export async function showRejected(name: string, options: RejectedOptions): Promise<void> {
  const item = await new Remote(options).data<ShownRejection>(pathOf(name));
  const lines = item.lines.map(
    ({ source, text }) => `${source === '' ? '' : `${source}  `}${printable(text)}\n`,
  );
  const head = `${name}: ${printable(item.reason)}\n`;
  const tail =
    item.unreadable === undefined ? '' : `its content cannot be shown: ${printable(item.unreadable)}\n`;
  print(options, item, head + lines.join('') + tail);
}

/** Exits with 1 where one of them could not be ended. */
export async function endRejected(
  action: 'retry' | 'drop',
  chosen: readonly string[],
  options: RejectedOptions,
): Promise<void> {
  const remote = new Remote(options);
  const names = await chooseRejected(remote, chosen, options);
  const ends: (RejectedEnd & { readonly id: string })[] = [];
  for (const id of names) {
    const { data } = (await remote.json('POST', `${pathOf(id)}/${action}`)) as { data: RejectedEnd };
    ends.push({ id, ...data });
    if (options.json !== true) process.stdout.write(`${printable(data.message)}\n`);
  }
  if (options.json === true) print(options, ends, '');
  if (ends.some(({ ok }) => !ok)) process.exitCode = 1;
}

interface ShownRejection extends ListedRejection {
  readonly lines: readonly RejectedLine[];
  readonly unreadable?: string;
}

async function fetchRejected(remote: Remote, sink: string | undefined): Promise<readonly ListedRejection[]> {
  const all = await remote.data<readonly ListedRejection[]>(PATH);
  return sink === undefined ? all : all.filter((item) => item.sink === sink);
}

/** To give up or send everything must be said: nobody means it by leaving something out. */
async function chooseRejected(
  remote: Remote,
  chosen: readonly string[],
  { sink, all }: RejectedOptions,
): Promise<readonly string[]> {
  if (chosen.length > 0) return chosen;
  if (all !== true && sink === undefined)
    throw new UsageError('give ids as "taffrail rejected list" shows them, or --sink NAME, or --all');
  return (await fetchRejected(remote, sink)).map((item) => `${item.sink}/${item.id}`);
}

function pathOf(name: string): string {
  const [sink = '', id = '', ...more] = name.split('/');
  if (sink === '' || id === '' || more.length > 0)
    throw new UsageError(`${name}: expected SINK/ID, as "taffrail rejected list" shows it`);
  return `${PATH}/${encodeURIComponent(sink)}/${encodeURIComponent(id)}`;
}

export function renderRejected(items: readonly ListedRejection[]): string {
  if (items.length === 0) return 'nothing is set aside\n';
  const rows = items.map((item) => [
    `${item.sink}/${item.id}`,
    new Date(item.refusedAtMs).toISOString().slice(0, 19),
    item.kind,
    item.isPartial ? `${sum(item.records)} of ${item.items}` : item.items,
    Object.keys(item.records).join(', '),
    shorten(item.reason, REASON_WIDTH),
  ]);
  return `${table(['id', 'refused', 'kind', 'items', 'sources', 'reason'], rows)}\n`;
}

function sum(records: Readonly<Record<string, number>>): number {
  return Object.values(records).reduce((total, count) => total + count, 0);
}

function print(options: RejectedOptions, json: unknown, text: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : text);
}
