import type { AlertState } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';

/** What survives a restart: plain JSON; the caller puts it on disk. */
export interface PersistedRuleState {
  readonly version: 1;
  readonly groups: readonly PersistedGroup[];
}

export interface PersistedGroup {
  readonly file: string;
  readonly name: string;
  /** When its alerts were last known; an outage is counted from here. */
  readonly lastEvaluationMs: number;
  readonly rules: readonly PersistedRule[];
}

export interface PersistedRule {
  /** As `ruleIdentity` gives it. */
  readonly identity: string;
  readonly alerts: readonly PersistedAlert[];
}

export interface PersistedAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
  readonly state: AlertState;
  readonly activeAtMs: number;
  readonly firedAtMs?: number;
  readonly keepFiringSinceMs?: number;
  readonly resolvedAtMs?: number;
  readonly lastSentAtMs?: number;
}

/** JSON has no NaN or Inf, so values travel as text. */
export function encodeRuleState(state: PersistedRuleState): string {
  return JSON.stringify(state, (key, value: unknown) =>
    key === 'value' && typeof value === 'number' ? String(value) : value,
  );
}

/** Reads what `encodeRuleState` wrote. Throws an Error that says what is wrong with it. */
export function decodeRuleState(text: string): PersistedRuleState {
  const parsed: unknown = JSON.parse(text);
  const root = object(parsed, 'state');
  if (root['version'] !== 1)
    throw new Error(`rule state: version ${String(root['version'])} is not known; 1 is`);
  return { version: 1, groups: list(root['groups'], 'groups').map(decodeGroup) };
}

function decodeGroup(value: unknown): PersistedGroup {
  const group = object(value, 'group');
  return {
    file: string(group['file'], 'file'),
    name: string(group['name'], 'name'),
    lastEvaluationMs: time(group['lastEvaluationMs'], 'lastEvaluationMs'),
    rules: list(group['rules'], 'rules').map((item) => {
      const rule = object(item, 'rule');
      return {
        identity: string(rule['identity'], 'identity'),
        alerts: list(rule['alerts'], 'alerts').map(decodeAlert),
      };
    }),
  };
}

function decodeAlert(value: unknown): PersistedAlert {
  const alert = object(value, 'alert');
  const { state } = alert;
  if (state !== 'pending' && state !== 'firing' && state !== 'inactive')
    throw new Error('rule state: an alert has no valid state');
  return {
    labels: strings(alert['labels'], 'labels'),
    annotations: strings(alert['annotations'], 'annotations'),
    value: Number(alert['value']),
    state,
    activeAtMs: time(alert['activeAtMs'], 'activeAtMs'),
    ...optionalTimes(alert),
  };
}

const OPTIONAL_TIMES = ['firedAtMs', 'keepFiringSinceMs', 'resolvedAtMs', 'lastSentAtMs'] as const;

function optionalTimes(
  alert: Readonly<Record<string, unknown>>,
): Partial<Record<(typeof OPTIONAL_TIMES)[number], number>> {
  const times: Partial<Record<(typeof OPTIONAL_TIMES)[number], number>> = {};
  for (const name of OPTIONAL_TIMES) if (alert[name] !== undefined) times[name] = time(alert[name], name);
  return times;
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value));
  throw new Error(`rule state: ${what} is not an object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`rule state: ${what} is not a list`);
}

function string(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`rule state: ${what} is not a string`);
}

function time(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`rule state: ${what} is not a time`);
}

function strings(value: unknown, what: string): Labels {
  return Object.fromEntries(
    Object.entries(object(value, what)).map(([name, text]) => [name, string(text, name)]),
  );
}
