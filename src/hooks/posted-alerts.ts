import type { AlertChange } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';

/** How long an alert from outside fires that names no end and is not sent again; Alertmanager's default. */
const RESOLVE_TIMEOUT_MS = 300_000;
const ALERTS_MAX = 20_000;
const PAIRS_MAX = 128;
const TEXT_MAX = 16_384;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The sender's mistake, in a sentence. */
export class PostedAlertError extends Error {
  override readonly name = 'PostedAlertError';
}

export interface PostedAlerts {
  readonly alerts: readonly AlertChange[];
  /** What is wrong with the others. */
  readonly mistakes: readonly string[];
}

/**
 * Reads Alertmanager's `postableAlerts`: what is well is taken, whatever stands beside it. An alert without a start
 * begins now, one without an end fires for five minutes unless it is sent again, one whose end has passed is resolved.
 * Throws a PostedAlertError where the whole is no list of alerts.
 */
export function readPostedAlerts(body: unknown, nowMs: number): PostedAlerts {
  if (!Array.isArray(body)) throw new PostedAlertError('expected a list of alerts');
  if (body.length > ALERTS_MAX) throw new PostedAlertError(`a request has at most ${ALERTS_MAX} alerts`);
  const alerts: AlertChange[] = [];
  const mistakes: string[] = [];
  for (const [index, item] of body.entries()) {
    try {
      alerts.push(readAlert(item, nowMs));
    } catch (error) {
      if (!(error instanceof PostedAlertError)) throw error;
      mistakes.push(`alert ${index}: ${error.message}`);
    }
  }
  return { alerts, mistakes };
}

/** An alert that is sent again keeps its first start, unless it had ended before the new one began. */
export function mergedWith(earlier: AlertChange | undefined, alert: AlertChange): AlertChange {
  if (earlier === undefined || earlier.endsAtMs < alert.startsAtMs) return alert;
  return { ...alert, startsAtMs: Math.min(earlier.startsAtMs, alert.startsAtMs) };
}

function readAlert(item: unknown, nowMs: number): AlertChange {
  const fields = record(item, 'an alert');
  const labels = pairs(fields['labels'], 'labels');
  if (Object.keys(labels).length === 0) throw new PostedAlertError('at least one label pair required');
  const endsAtMs = time(fields['endsAt'], 'endsAt') ?? nowMs + RESOLVE_TIMEOUT_MS;
  const startsAtMs = time(fields['startsAt'], 'startsAt') ?? Math.min(endsAtMs, nowMs);
  if (startsAtMs > endsAtMs) throw new PostedAlertError('start time must be before end time');
  const generatorUrl = fields['generatorURL'] ?? '';
  if (typeof generatorUrl !== 'string' || generatorUrl.length > TEXT_MAX)
    throw new PostedAlertError('generatorURL must be text');
  return {
    labels,
    annotations: pairs(fields['annotations'] ?? {}, 'annotations'),
    startsAtMs,
    endsAtMs,
    status: endsAtMs <= nowMs ? 'resolved' : 'firing',
    generatorUrl,
    value: '',
  };
}

/** Names with texts; an empty text is no label. */
function pairs(value: unknown, what: string): Labels {
  const entries = Object.entries(record(value, what));
  if (entries.length > PAIRS_MAX) throw new PostedAlertError(`${what}: at most ${PAIRS_MAX}`);
  for (const [name, text] of entries) {
    if (!NAME.test(name))
      throw new PostedAlertError(`${what}: invalid name ${JSON.stringify(name.slice(0, 100))}`);
    if (typeof text !== 'string' || text.length > TEXT_MAX || /\p{Surrogate}/u.test(text))
      throw new PostedAlertError(
        `${what}: the value of ${name} must be text of at most ${TEXT_MAX} characters`,
      );
  }
  return Object.fromEntries((entries as [string, string][]).filter(([, text]) => text !== ''));
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new PostedAlertError(`${what} must be an object`);
}

/** Undefined where it is not given; Go's zero time is not given, too. */
function time(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = typeof value === 'string' ? value : '';
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new PostedAlertError(`${name} must be an RFC 3339 time such as 2030-01-31T15:00:00Z`);
  return text.startsWith('0001-01-01T00:00:00') ? undefined : ms;
}
