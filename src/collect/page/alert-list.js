/** What is firing or pending anywhere: by the collector's rules, by agents' own, by those of whoever else sends here. */
export function activeAlerts({ groups, agents, stored }) {
  const own = groups.flatMap((group) => group.rules).flatMap(ofRule);
  const theirs = agents.filter((agent) => !agent.superseded).flatMap(ofAgent);
  const known = new Set(own.map(({ labels }) => identity(labels)));
  const others = stored.filter(({ metric }) => !known.has(identity(metric))).map(ofSeries);
  return [...own, ...theirs, ...others].toSorted(
    (a, b) => rank(a) - rank(b) || b.sinceMs - a.sinceMs || (a.key < b.key ? -1 : 1),
  );
}

/** An alert that only proves that alerting works is nothing to worry about. */
export function isWorrying(alert) {
  return alert.state === 'firing' && alert.labels?.severity !== 'none';
}

export function alertTone(alert) {
  if (alert.state === 'pending') return 'warn';
  return isWorrying(alert) ? 'bad' : 'good';
}

function rank(alert) {
  if (isWorrying(alert)) return 0;
  return alert.state === 'pending' ? 1 : 2;
}

function ofRule(rule) {
  return (rule.alerts ?? [])
    .filter(({ state }) => state === 'firing' || state === 'pending')
    .map((alert) => ({
      key: `rule/${identity(alert.labels)}`,
      origin: { kind: 'collector', text: 'this collector', labels: {} },
      name: rule.name,
      labels: alert.labels,
      annotations: alert.annotations ?? {},
      state: alert.state,
      sinceMs: Date.parse(alert.activeAt),
      value: Number(alert.value),
      query: rule.query,
      ruleLabels: rule.labels ?? {},
    }));
}

/** What an agent evaluates by itself comes with its heartbeat. */
function ofAgent(agent) {
  const alerts = agent.heartbeat?.alerts;
  if (!Array.isArray(alerts)) return [];
  const host = agent.heartbeat.host ?? agent.agent;
  return alerts
    .filter((alert) => alert?.labels && (alert.state === 'firing' || alert.state === 'pending'))
    .map((alert) => ({
      key: `agent/${agent.agent}/${identity(alert.labels)}`,
      origin: {
        kind: 'agent',
        text: `the agent on ${host}`,
        id: agent.agent,
        labels: { agent: agent.agent },
      },
      name: alert.labels.alertname ?? 'alert',
      labels: alert.labels,
      annotations: alert.annotations ?? {},
      state: alert.state,
      sinceMs: Number(alert.activeAtMs),
      value: Number(alert.value),
      query: alert.query,
      ruleLabels: alert.ruleLabels ?? {},
      heardMs: agent.silentMs,
    }));
}

/** `ALERTS` that a Prometheus or somebody else wrote here. */
function ofSeries({ metric }) {
  const { __name__: _, alertstate, ...labels } = metric;
  const from = labels.host ?? labels.instance ?? labels.job;
  return {
    key: `series/${identity(labels)}`,
    origin: { kind: 'series', text: from ? `what ${from} sends` : 'what another sender writes', labels: {} },
    name: labels.alertname ?? 'alert',
    labels,
    annotations: {},
    state: alertstate,
    sinceMs: NaN,
    value: NaN,
    query: undefined,
    ruleLabels: {},
  };
}

function identity(labels) {
  const { __name__: _, alertstate: __, ...own } = labels;
  return JSON.stringify(Object.entries(own).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a silence's matchers all fit, as the collector will judge; undefined where one is no pattern. */
export function fitsMatchers(matchers, labels) {
  try {
    return matchers.every(({ name, value, isRegex, isEqual = true }) => {
      const own = labels[name] ?? '';
      const same = isRegex ? new RegExp(`^(?:${value})$`, 's').test(own) : own === value;
      return same === isEqual;
    });
  } catch {
    return undefined;
  }
}

export function matcherText({ name, value, isRegex, isEqual = true }) {
  const operator = isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=';
  return `${name}${operator}${JSON.stringify(value)}`;
}

/** How many of the alerts that this collector tells people of fit. */
export function activeText(matchers, alerts) {
  const own = alerts.filter(({ origin }) => origin.kind === 'collector');
  const fitting = own.filter(({ labels }) => fitsMatchers(matchers, labels));
  if (own.length === 0) return 'no alert at present';
  return `${fitting.length} of ${own.length} active alert${own.length === 1 ? '' : 's'}`;
}
