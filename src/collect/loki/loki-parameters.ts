import type { Instant } from '../../logql/line-reader.ts';
import { parsePromqlDuration } from '../../promql/promql-duration.ts';
import { HttpError } from '../../platform/http-error.ts';
import type { HttpRequest } from '../../platform/http-message.ts';
import type { TimeRange } from '../lines/line-question.ts';

const HOUR_MS = 3_600_000;

/** The parameters of a request in its address and, of a form, in its body. */
export async function readParameters(request: HttpRequest): Promise<URLSearchParams> {
  if (request.method !== 'POST') return request.query;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return request.query;
  const form = new URLSearchParams((await request.body()).toString('utf8'));
  for (const [name, value] of request.query) form.append(name, value);
  return form;
}

export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw new HttpError(400, `the parameter ${name} is missing`);
  return value;
}

/** A time: seconds of up to ten digits, longer ones nanoseconds, seconds with a dot, or RFC 3339. */
export function parseTime(text: string): Instant | undefined {
  if (/^\d{1,10}$/.test(text)) return { ms: Number(text) * 1000, nanos: 0 };
  if (/^\d{11,19}$/.test(text)) {
    const padded = text.padStart(7, '0');
    return { ms: Number(padded.slice(0, -6)), nanos: Number(padded.slice(-6)) };
  }
  const fraction = /^(\d{1,11})\.(\d*)$/.exec(text);
  if (fraction !== null) {
    const digits = fraction[2]!.padEnd(9, '0').slice(0, 9);
    return { ms: Number(fraction[1]) * 1000 + Number(digits.slice(0, 3)), nanos: Number(digits.slice(3)) };
  }
  return parseRfc3339(text);
}

function parseRfc3339(text: string): Instant | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const seconds = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(seconds)) return undefined;
  const digits = (match[2] ?? '').padEnd(9, '0');
  return { ms: seconds + Number(digits.slice(0, 3)), nanos: Number(digits.slice(3)) };
}

export function timeOf(parameters: URLSearchParams, name: string, otherwise: Instant): Instant {
  const text = parameters.get(name);
  if (text === null || text === '') return otherwise;
  const time = parseTime(text);
  if (time === undefined)
    throw new HttpError(400, `${name}=${text.slice(0, 60)}: expected seconds, nanoseconds or RFC 3339`);
  return time;
}

/** A duration as Prometheus writes it, or seconds as a number; in ms. */
export function durationOf(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null || text === '') return undefined;
  const ms = /^-?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) * 1000 : parsePromqlDuration(text);
  if (ms === undefined || !(Math.abs(ms) < 1e15))
    throw new HttpError(400, `${name}=${text.slice(0, 60)}: expected a duration such as 30s, or seconds`);
  return ms;
}

/** From `start` (or `since` before the end) to `end`; an hour up to now where nothing is said. */
export function rangeOf(parameters: URLSearchParams, nowMs: number): TimeRange {
  const now = { ms: nowMs, nanos: 0 };
  const to = timeOf(parameters, 'end', now);
  const sinceMs = durationOf(parameters, 'since') ?? HOUR_MS;
  const base = to.ms > nowMs && parameters.get('end') !== null ? now : to;
  const from = timeOf(parameters, 'start', { ms: base.ms - sinceMs, nanos: base.nanos });
  if (isAfter(from, to)) throw new HttpError(400, 'the end lies before the start');
  return { from, to };
}

function isAfter(a: Instant, b: Instant): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.nanos > b.nanos);
}

export function wholeNumber(
  parameters: URLSearchParams,
  name: string,
  otherwise: number,
  most: number,
): number {
  const text = parameters.get(name);
  if (text === null || text === '') return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  // Clients look for "max entries limit".
  const limit =
    value > most ? `max entries limit per query exceeded, ${name} > ${most}` : `${name}=${text.slice(0, 30)}`;
  throw new HttpError(400, `${limit}: expected a whole number from 1 to ${most}`);
}

export function directionOf(parameters: URLSearchParams): 'forward' | 'backward' {
  const text = (parameters.get('direction') ?? 'backward').toLowerCase();
  if (text === 'forward' || text === 'backward') return text;
  throw new HttpError(400, `direction=${text.slice(0, 30)}: expected forward or backward`);
}

/** Whether the client wants metadata and parsed labels at each line, and not in the labels of streams. */
export function wantsCategories(request: HttpRequest): boolean {
  return hasFlag(request, 'categorize-labels');
}

/** Whether each of these lines is to say where it stands: a flag of ours, which comes with the other. */
export function wantsPlaces(request: HttpRequest): boolean {
  return hasFlag(request, 'places');
}

function hasFlag(request: HttpRequest, flag: string): boolean {
  const flags = String(request.headers['x-loki-response-encoding-flags'] ?? '');
  return flags.split(',').some((one) => one.trim() === flag);
}
