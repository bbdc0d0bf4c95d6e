import { stringify } from 'yaml';
import type { AlertingConfig, RouteConfig } from '../config/alerting-schema.ts';
import { type AlertMatcher, sortMatchers } from '../model/alert-matcher.ts';
import { formatPromqlDuration } from '../promql/promql-duration.ts';

/**
 * Routes and inhibition as a configuration that Alertmanager's tools read (`amtool config routes`). Of receivers only
 * their names: how they are told is ours, and holds secrets.
 */
export function alertmanagerConfig(config: AlertingConfig): string {
  return stringify({
    ...(config.route === undefined ? {} : { route: routeText(config.route) }),
    ...(config.inhibit_rules.length === 0
      ? {}
      : {
          inhibit_rules: config.inhibit_rules.map(({ source_matchers, target_matchers, equal }) => ({
            source_matchers: matcherTexts(source_matchers),
            target_matchers: matcherTexts(target_matchers),
            ...(equal.length === 0 ? {} : { equal }),
          })),
        }),
    receivers: config.receivers.map(({ name }) => ({ name })),
  });
}

function routeText(route: RouteConfig): object {
  const { receiver, group_by, group_wait, group_interval, repeat_interval } = route;
  return {
    ...(receiver === undefined ? {} : { receiver }),
    ...(group_by === undefined ? {} : { group_by }),
    ...(route.matchers.length === 0 ? {} : { matchers: matcherTexts(route.matchers) }),
    continue: route.continue,
    ...(route.routes.length === 0 ? {} : { routes: route.routes.map(routeText) }),
    ...(group_wait === undefined ? {} : { group_wait: formatPromqlDuration(group_wait) }),
    ...(group_interval === undefined ? {} : { group_interval: formatPromqlDuration(group_interval) }),
    ...(repeat_interval === undefined ? {} : { repeat_interval: formatPromqlDuration(repeat_interval) }),
  };
}

function matcherTexts(matchers: readonly AlertMatcher[]): readonly string[] {
  return sortMatchers(matchers).map(String);
}
