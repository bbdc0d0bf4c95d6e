import type { HookMetric } from '../hooks/hook-status.ts';
import type { SelfMetrics } from '../metrics/self-metrics.ts';
import type { RuleGroupStatus } from '../rules/rule-status.ts';

export interface AlertingView {
  hookMetrics(): readonly HookMetric[];
  ruleGroups(): readonly RuleGroupStatus[];
}

/** Rules and notifications among the agent's own metrics. */
export function defineAlertingMetrics(self: SelfMetrics, view: AlertingView): void {
  for (const metric of alertingMetrics(view)) {
    const read = (): Iterable<readonly [Readonly<Record<string, string>>, number]> =>
      alertingMetrics(view)
        .filter(({ name }) => name === metric.name)
        .flatMap(({ samples }) => samples.map(({ labels, value }) => [labels, value] as const));
    if (metric.type === 'counter') self.counterFrom(metric.name, metric.help, read);
    else self.gauge(metric.name, metric.help, read);
  }
}

/** All figures about rules and notifications, in the agent and in the collector. */
export function alertingMetrics(view: AlertingView): readonly HookMetric[] {
  const groups = view.ruleGroups();
  const rules = groups.flatMap((group) => group.rules);
  const alerts = rules.flatMap((rule) => (rule.kind === 'alerting' ? rule.alerts : []));
  const one = (value: number): HookMetric['samples'] => [{ labels: {}, value }];
  return [
    ...view.hookMetrics(),
    gauge('taffrail_rules', 'Rules that are loaded.', one(rules.length)),
    gauge(
      'taffrail_rules_failing',
      'Rules whose last evaluation failed.',
      one(rules.filter(({ health }) => health === 'err').length),
    ),
    gauge(
      'taffrail_alerts',
      'Alerts by state.',
      (['pending', 'firing'] as const).map((state) => ({
        labels: { state },
        value: alerts.filter((alert) => alert.state === state).length,
      })),
    ),
    gauge(
      'taffrail_rules_last_duration_seconds',
      'How long the last evaluation of all rules took together.',
      one(groups.reduce((sum, group) => sum + group.evaluationTimeMs, 0) / 1000),
    ),
  ];
}

function gauge(name: string, help: string, samples: HookMetric['samples']): HookMetric {
  return { name, type: 'gauge', help, samples };
}
