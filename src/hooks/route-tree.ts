import type { AlertingConfig, RouteConfig } from '../config/alerting-schema.ts';
import { formatMatchers, matchesAll, sortMatchers } from '../model/alert-matcher.ts';
import type { AlertMatcher } from '../model/alert-matcher.ts';
import type { Labels } from '../model/series.ts';
import { formatLabels } from './alert-identity.ts';

/** A route with everything inherited filled in. */
export interface Route {
  /** Unlike `key`, unique: siblings may have the same matchers. */
  readonly id: string;
  /** Alertmanager's route key: the sorted matchers from the root to here. */
  readonly key: string;
  readonly receiver: string;
  readonly matchers: readonly AlertMatcher[];
  readonly groupBy: readonly string[] | 'all';
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly continue: boolean;
  readonly routes: readonly Route[];
}

const ROOT: Omit<Route, 'matchers' | 'continue' | 'routes'> = {
  id: '',
  key: '',
  receiver: '',
  groupBy: [],
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 14_400_000,
};

const NOWHERE: RouteConfig = { receiver: '', matchers: [], continue: false, routes: [] };

/** The tree of a configuration; without a route, one that leads nowhere. */
export function routesOf({ route = NOWHERE }: Pick<AlertingConfig, 'route'>): Route {
  return buildRoutes(route);
}

export function buildRoutes(config: RouteConfig): Route {
  return build(config, ROOT, '0');
}

function build(config: RouteConfig, parent: typeof ROOT, index: string): Route {
  const matchers = sortMatchers(config.matchers);
  const route = {
    id: parent.id === '' ? index : `${parent.id}/${index}`,
    key: parent.key === '' ? formatMatchers(matchers) : `${parent.key}/${formatMatchers(matchers)}`,
    receiver: config.receiver ?? parent.receiver,
    groupBy: config.group_by === undefined ? parent.groupBy : grouping(config.group_by),
    groupWaitMs: config.group_wait ?? parent.groupWaitMs,
    groupIntervalMs: config.group_interval ?? parent.groupIntervalMs,
    repeatIntervalMs: config.repeat_interval ?? parent.repeatIntervalMs,
  };
  return {
    ...route,
    matchers,
    continue: config.continue,
    routes: config.routes.map((child, at) => build(child, route, String(at))),
  };
}

function grouping(names: readonly string[]): Route['groupBy'] {
  return names.includes('...') ? 'all' : [...names].sort();
}

/** The routes that take an alert: depth first, the deepest match wins, siblings only after `continue`. */
export function matchRoutes(route: Route, labels: Labels): readonly Route[] {
  if (!matchesAll(route.matchers, labels)) return [];
  const taken: Route[] = [];
  for (const child of route.routes) {
    const matched = matchRoutes(child, labels);
    taken.push(...matched);
    if (matched.length > 0 && !child.continue) break;
  }
  return taken.length > 0 ? taken : [route];
}

/** The labels that name an alert's group within a route; labels that the alert lacks are left out. */
export function groupLabelsOf(route: Route, labels: Labels): Labels {
  const names = route.groupBy === 'all' ? Object.keys(labels).sort() : route.groupBy;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(labels, name)).map((name) => [name, labels[name]!]),
  );
}

export function groupKeyOf(route: Route, groupLabels: Labels): string {
  return `${route.key}:${formatLabels(groupLabels)}`;
}

export function* allRoutes(route: Route): Generator<Route> {
  yield route;
  for (const child of route.routes) yield* allRoutes(child);
}
