import { userInfo } from 'node:os';
import type { GettableSilence, SilenceMatcher } from '../../hooks/silence.ts';
import { AlertMatcher, parseAlertMatchers } from '../../model/alert-matcher.ts';
import { parsePromqlDuration } from '../../promql/promql-duration.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { table } from '../style.ts';
import { UsageError } from '../usage-error.ts';
import { Remote, type RemoteOptions } from './remote.ts';

export interface SilenceOptions extends RemoteOptions {
  readonly json?: boolean;
}

export interface AddSilenceOptions extends SilenceOptions {
  readonly for: string;
  readonly author?: string;
  readonly comment: string;
}

const COMMENT_WIDTH = 60;

/** Prints the id alone, for scripts. */
export async function addSilence(texts: readonly string[], options: AddSilenceOptions): Promise<void> {
  const remote = new Remote(options);
  const matchers = texts.flatMap(readMatchers);
  const forMs = parsePromqlDuration(options.for);
  if (forMs === undefined || forMs <= 0)
    throw new UsageError(`--for ${options.for}: expected a duration such as 30m, 2h or 1d`);
  const nowMs = Date.now();
  const answer = (await remote.json('POST', '/api/v1/silences', {
    matchers: matchers.map(postable),
    startsAt: new Date(nowMs).toISOString(),
    endsAt: new Date(nowMs + forMs).toISOString(),
    createdBy: options.author ?? userInfo().username,
    comment: options.comment,
  })) as { silenceID: string };
  print(options, answer, `${answer.silenceID}\n`);
}

export async function listSilences(options: SilenceOptions & { readonly all?: boolean }): Promise<void> {
  const remote = new Remote(options);
  const all = (await remote.json('GET', '/api/v1/silences')) as readonly GettableSilence[];
  const shown = all.filter(({ status }) => options.all === true || status.state !== 'expired');
  print(options, shown, renderSilences(shown));
}

export async function expireSilences(ids: readonly string[], options: SilenceOptions): Promise<void> {
  const remote = new Remote(options);
  for (const id of ids) await remote.json('DELETE', `/api/v1/silence/${encodeURIComponent(id)}`);
  print(options, { expired: ids }, '');
}

function readMatchers(text: string): readonly AlertMatcher[] {
  if (/^[a-zA-Z_][\w-]*$/.test(text)) return [new AlertMatcher('alertname', '=', text)];
  try {
    return parseAlertMatchers(text);
  } catch (error) {
    throw new UsageError(`${text}: ${(error as Error).message}`, { cause: error });
  }
}

function postable({ name, kind, value }: AlertMatcher): SilenceMatcher {
  return { name, value, isRegex: kind.endsWith('~'), isEqual: kind.startsWith('=') };
}

export function renderSilences(silences: readonly GettableSilence[]): string {
  if (silences.length === 0) return 'no silences\n';
  const rows = silences.map((silence) => [
    silence.id,
    silence.status.state,
    silence.endsAt.slice(0, 19),
    printable(silence.matchers.map(matcherText).join(', ')),
    printable(silence.createdBy),
    shorten(silence.comment, COMMENT_WIDTH),
  ]);
  return `${table(['id', 'state', 'until', 'matchers', 'by', 'comment'], rows)}\n`;
}

function matcherText({ name, value, isRegex, isEqual }: SilenceMatcher): string {
  return `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${JSON.stringify(value)}`;
}

function print(options: SilenceOptions, json: unknown, text: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : text);
}
