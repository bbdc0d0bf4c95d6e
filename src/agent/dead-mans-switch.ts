import type { AlertingConfig } from '../config/alerting-schema.ts';
import { AlertMatcher } from '../model/alert-matcher.ts';
import { BUILT_IN_RULES_FILE } from '../rules/built-in-rules.ts';
import type { RuleGroup } from '../rules/rule.ts';

const NAME = 'DeadMansSwitch';

/**
 * The built-in dead man's switch fires always, so it is told only where a route of the user's takes it: what no
 * child route takes goes nowhere, instead of to the root's receiver, who would be told of nothing for ever.
 */
export function keepSwitchFromRoot(config: AlertingConfig, groups: readonly RuleGroup[]): AlertingConfig {
  const isOn = groups.some(
    ({ file, rules }) => file === BUILT_IN_RULES_FILE && rules.some(({ name }) => name === NAME),
  );
  if (config.route === undefined || !isOn) return config;
  const nowhere = {
    receiver: '',
    matchers: [new AlertMatcher('alertname', '=', NAME)],
    continue: false,
    routes: [],
  };
  return { ...config, route: { ...config.route, routes: [...config.route.routes, nowhere] } };
}
