import { createHash } from 'node:crypto';
import { compileMatchers } from '../promql/matcher.ts';
import { formatFloat } from '../template/go-float.ts';
import type { AlertStatus, RuleGroupStatus, RuleStatus } from '../rules/rule-status.ts';
import type { ApiResult } from './api-response.ts';
import { invalidParameter, limitParameter, matchersParameter } from './parameters.ts';
import type { QueryApiDeps } from './query-api-deps.ts';

export function handleRules(parameters: URLSearchParams, deps: QueryApiDeps): ApiResult {
  const kind = ruleKind(parameters);
  const withAlerts = !booleanParameter(parameters, 'exclude_alerts');
  const names = parameters.getAll('rule_name[]');
  const groupNames = parameters.getAll('rule_group[]');
  const files = parameters.getAll('file[]');
  const matcherLists = matchersParameter(parameters).map(compileMatchers);
  const filtered = kind !== undefined || names.length > 0 || matcherLists.length > 0;
  const groups = deps
    .rules()
    .filter((group) => fits(groupNames, group.name) && fits(files, group.file))
    .map((group) => ({
      ...group,
      rules: group.rules.filter(
        (status) =>
          (kind === undefined || status.kind === kind) &&
          fits(names, status.rule.name) &&
          (matcherLists.length === 0 || matcherLists.some((matches) => matches(status.rule.labels))),
      ),
    }))
    .filter((group) => !filtered || group.rules.length > 0);
  const { page, next } = pageOf(groups, parameters);
  return {
    data: {
      groups: page.map((group) => shownGroup(group, withAlerts)),
      ...(next === undefined ? {} : { groupNextToken: next }),
    },
  };
}

/** So many groups as are asked for, from the one that the last answer named. */
function pageOf(
  groups: readonly RuleGroupStatus[],
  parameters: URLSearchParams,
): { readonly page: readonly RuleGroupStatus[]; readonly next: string | undefined } {
  const limit = limitParameter(parameters, 'group_limit');
  const token = parameters.get('group_next_token') ?? '';
  if (token !== '' && limit === 0)
    throw invalidParameter('group_limit', 'needs to be set in order to paginate over the groups');
  const from = token === '' ? 0 : groups.findIndex((group) => tokenOf(group) === token);
  if (from < 0) throw invalidParameter('group_next_token', 'no group has this token; the rules have changed');
  const rest = groups.slice(from);
  if (limit === 0 || rest.length <= limit) return { page: rest, next: undefined };
  return { page: rest.slice(0, limit), next: tokenOf(rest[limit]!) };
}

function tokenOf({ file, name }: RuleGroupStatus): string {
  return createHash('sha1').update(`${file};${name}`).digest('hex');
}

export function handleAlerts(deps: QueryApiDeps): ApiResult {
  const alerts = deps
    .rules()
    .flatMap((group) => group.rules)
    .flatMap((status) => (status.kind === 'alerting' ? status.alerts : []));
  return { data: { alerts: alerts.map(shownAlert) } };
}

function ruleKind(parameters: URLSearchParams): RuleStatus['kind'] | undefined {
  const type = parameters.get('type') ?? '';
  switch (type.toLowerCase()) {
    case '':
      return undefined;
    case 'alert':
      return 'alerting';
    case 'record':
      return 'recording';
    default:
      throw invalidParameter('type', `not supported value ${JSON.stringify(type)}`);
  }
}

function booleanParameter(parameters: URLSearchParams, name: string): boolean {
  const text = (parameters.get(name) ?? '').toLowerCase();
  if (['1', 't', 'true'].includes(text)) return true;
  if (['', '0', 'f', 'false'].includes(text)) return false;
  throw invalidParameter(name, `${JSON.stringify(text)} is neither true nor false`);
}

function fits(wanted: readonly string[], value: string): boolean {
  return wanted.length === 0 || wanted.includes(value);
}

function shownGroup(group: RuleGroupStatus, withAlerts: boolean): unknown {
  return {
    name: group.name,
    file: group.file,
    rules: group.rules.map((status) => shownRule(status, withAlerts)),
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: group.evaluationTimeMs / 1000,
    lastEvaluation: shownTime(group.lastEvaluationMs),
  };
}

function shownRule(status: RuleStatus, withAlerts: boolean): unknown {
  const { rule } = status;
  const outcome = {
    health: status.health,
    ...(status.lastError === '' ? {} : { lastError: status.lastError }),
    evaluationTime: status.evaluationTimeMs / 1000,
    lastEvaluation: shownTime(status.lastEvaluationMs),
  };
  if (status.kind === 'recording')
    return { name: rule.name, query: rule.query, labels: rule.labels, ...outcome, type: 'recording' };
  return {
    state: status.state,
    name: rule.name,
    query: rule.query,
    duration: status.rule.forMs / 1000,
    keepFiringFor: status.rule.keepFiringForMs / 1000,
    labels: rule.labels,
    annotations: status.rule.annotations,
    ...(withAlerts ? { alerts: status.alerts.map(shownAlert) } : {}),
    ...outcome,
    type: 'alerting',
  };
}

function shownAlert(alert: AlertStatus): unknown {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    state: alert.state,
    activeAt: shownTime(alert.activeAtMs),
    ...(alert.keepFiringSinceMs === undefined ? {} : { keepFiringSince: shownTime(alert.keepFiringSinceMs) }),
    value: formatFloat(alert.value, 'e', -1),
  };
}

/** RFC 3339 without zeros at its end, as Go prints it; its zero time where there is none. */
function shownTime(timeMs: number | undefined): string {
  if (timeMs === undefined) return '0001-01-01T00:00:00Z';
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z');
}
