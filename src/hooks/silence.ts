import { AlertMatcher, matchesAll } from '../model/alert-matcher.ts';
import type { MatchKind } from '../model/series.ts';
import { goTime } from './go-time.ts';

/** Alertmanager's API v2 matcher. */
export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

/** As it is stored. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** Alertmanager's API v2 `gettableSilence`. */
export interface GettableSilence {
  readonly id: string;
  readonly status: { readonly state: SilenceState };
  readonly updatedAt: string;
  readonly comment: string;
  readonly createdBy: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly matchers: readonly SilenceMatcher[];
}

export type SilenceState = 'pending' | 'active' | 'expired';

/** The caller's mistake: `status` is what an HTTP API should answer. */
export class SilenceError extends Error {
  readonly status: 400 | 404;

  constructor(message: string, status: 400 | 404 = 400) {
    super(message);
    this.name = 'SilenceError';
    this.status = status;
  }
}

export function silenceState(silence: Silence, nowMs: number): SilenceState {
  if (nowMs < silence.startsAtMs) return silence.endsAtMs <= silence.startsAtMs ? 'expired' : 'pending';
  return nowMs < silence.endsAtMs ? 'active' : 'expired';
}

export function gettable(silence: Silence, nowMs: number): GettableSilence {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: goTime(silence.updatedAtMs),
    comment: silence.comment,
    createdBy: silence.createdBy,
    startsAt: goTime(silence.startsAtMs),
    endsAt: goTime(silence.endsAtMs),
    matchers: silence.matchers,
  };
}

export function compileMatchers(matchers: readonly SilenceMatcher[]): readonly AlertMatcher[] {
  return matchers.map(
    ({ name, value, isRegex, isEqual }) => new AlertMatcher(name, kindOf(isRegex, isEqual), value),
  );
}

function kindOf(isRegex: boolean, isEqual: boolean): MatchKind {
  if (isRegex) return isEqual ? '=~' : '!~';
  return isEqual ? '=' : '!=';
}

export interface PostedSilence extends Omit<Silence, 'id' | 'updatedAtMs'> {
  readonly id?: string;
}

const MAX_MATCHERS = 64;
const MAX_TEXT = 4096;

/** Checks what came over the API (Alertmanager's `postableSilence`); throws a SilenceError that names the field. */
export function readPostedSilence(body: unknown, nowMs: number): PostedSilence {
  const fields = record(body, 'a silence');
  const startsAtMs = Math.max(time(fields['startsAt'] ?? goTime(nowMs), 'startsAt'), nowMs);
  const endsAtMs = time(fields['endsAt'], 'endsAt');
  if (endsAtMs <= startsAtMs) throw new SilenceError('endsAt must be after startsAt and after now');
  const id = fields['id'] === undefined || fields['id'] === '' ? undefined : textOf(fields['id'], 'id');
  return {
    ...(id === undefined ? {} : { id }),
    matchers: readMatchers(fields['matchers']),
    startsAtMs,
    endsAtMs,
    createdBy: textOf(fields['createdBy'], 'createdBy'),
    comment: textOf(fields['comment'], 'comment'),
  };
}

function readMatchers(value: unknown): readonly SilenceMatcher[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new SilenceError('matchers must be a list with at least one matcher');
  if (value.length > MAX_MATCHERS) throw new SilenceError(`a silence has at most ${MAX_MATCHERS} matchers`);
  const matchers = value.map((item: unknown): SilenceMatcher => {
    const fields = record(item, 'a matcher');
    if (typeof fields['value'] !== 'string') throw new SilenceError('the value of a matcher must be text');
    const name = textOf(fields['name'], 'the name of a matcher');
    return {
      name,
      value: fields['value'],
      isRegex: flag(fields['isRegex'], 'isRegex', false),
      isEqual: flag(fields['isEqual'], 'isEqual', true),
    };
  });
  const compiled = tryCompile(matchers);
  if (matchesAll(compiled, {}))
    throw new SilenceError(
      'at least one matcher must not match the empty value, else everything is silenced',
    );
  return matchers;
}

function tryCompile(matchers: readonly SilenceMatcher[]): readonly AlertMatcher[] {
  try {
    return compileMatchers(matchers);
  } catch (error) {
    throw new SilenceError((error as Error).message);
  }
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new SilenceError(`${what} must be an object`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '')
    throw new SilenceError(`${name} must be text that is not empty`);
  if (value.length > MAX_TEXT) throw new SilenceError(`${name} has at most ${MAX_TEXT} characters`);
  return value;
}

function flag(value: unknown, name: string, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw new SilenceError(`${name} must be true or false`);
  return value;
}

function time(value: unknown, name: string): number {
  const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw new SilenceError(`${name} must be an RFC 3339 time such as 2030-01-31T15:00:00Z`);
  return ms;
}
