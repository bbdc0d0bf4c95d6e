import { z } from 'zod';
import { parseAlertMatchers } from '../model/alert-matcher.ts';
import { receiverSchema } from './receiver-schema.ts';
import { duration } from './units.ts';

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const matcher = z.string().transform((text, context) => {
  try {
    return parseAlertMatchers(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message, input: text });
    return z.NEVER;
  }
});

const matchers = z.array(matcher).transform((lists) => lists.flat());

const groupBy = z
  .array(
    z.string().refine((name) => name === '...' || LABEL_NAME.test(name), {
      error: 'expected a label name, or ... for all labels',
    }),
  )
  .refine((names) => !names.includes('...') || names.length === 1, {
    error: '... stands for all labels, so it must be alone',
  })
  .refine((names) => new Set(names).size === names.length, { error: 'names a label twice' });

const routeShape = {
  receiver: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The receiver that gets what matches here. The root route must name one; a child without it uses its parent's.",
    ),
  matchers: matchers
    .default([])
    .describe(
      'All must hold for an alert to enter this route, such as severity="page" or team=~"db|web". Empty by default: matches everything; the root route must have none.',
    ),
  group_by: groupBy
    .optional()
    .describe(
      'Alerts with equal values of these labels are told together; ["..."] groups by all labels. Inherited; at the root empty by default: one group.',
    ),
  group_wait: duration({ max: '1d' })
    .optional()
    .describe(
      'How long the first notification of a new group waits for more alerts to join. Inherited; 30s at the root by default.',
    ),
  group_interval: duration({ min: '1s', max: '7d' })
    .optional()
    .describe(
      'How long after a notification a changed group may be told again. Inherited; 5m at the root by default.',
    ),
  repeat_interval: duration({ min: '1s', max: '1y' })
    .optional()
    .describe(
      'How long after a notification an unchanged group that still fires is told again. Inherited; 4h at the root by default.',
    ),
  continue: z
    .boolean()
    .default(false)
    .describe('Whether the siblings after this route are tried too when it matched. False by default.'),
};

/** A checked route; durations in milliseconds. What is undefined is inherited. */
export type RouteConfig = z.output<z.ZodObject<typeof routeShape>> & {
  readonly routes: readonly RouteConfig[];
};

const routeSchema: z.ZodType<RouteConfig> = z
  .strictObject({
    ...routeShape,
    routes: z
      .array(z.lazy(() => routeSchema))
      .default([])
      .describe(
        'Child routes, tried in order; the first that matches takes the alert unless it says continue. None by default.',
      ),
  })
  .describe("Which alerts go to which receiver, in what groups and how often: Alertmanager's route tree.");

const inhibitRuleSchema = z
  .strictObject({
    source_matchers: matchers
      .refine((list) => list.length > 0, { error: 'needs at least one matcher' })
      .describe('An alert that fires and fits all of these mutes others.'),
    target_matchers: matchers
      .refine((list) => list.length > 0, { error: 'needs at least one matcher' })
      .describe('Alerts that fit all of these are muted.'),
    equal: z
      .array(z.string().regex(LABEL_NAME, { error: 'expected a label name' }))
      .default([])
      .describe('Labels that must be equal in both; a missing label equals an empty one. None by default.'),
  })
  .describe('While a source alert fires, the target alerts are not told.');

export type InhibitRuleConfig = z.output<typeof inhibitRuleSchema>;
export type ReceiverConfig = z.output<typeof receiverSchema>;

/** The keys that agent and collector configurations share for alerting; put them in a strictObject and call checkAlerting. */
export const alertingShape = {
  route: routeSchema
    .optional()
    .describe(
      "Which alerts go to which receivers, grouped how: a tree, in Alertmanager's words. Without it nobody is told.",
    ),
  receivers: z.array(receiverSchema).default([]).describe('Who can be told, by name. None by default.'),
  inhibit_rules: z
    .array(inhibitRuleSchema)
    .default([])
    .describe('Alerts that mute others while they fire. None by default.'),
};

export interface AlertingConfig {
  readonly route?: RouteConfig | undefined;
  readonly receivers: readonly ReceiverConfig[];
  readonly inhibit_rules: readonly InhibitRuleConfig[];
}

type Context = z.RefinementCtx;

/** What only the whole can tell: for `superRefine` of the object that holds `alertingShape`. */
export function checkAlerting(config: AlertingConfig, context: Context): void {
  const names = new Set<string>();
  for (const [index, { name }] of config.receivers.entries()) {
    if (names.has(name))
      reject(context, ['receivers', index, 'name'], `there are two receivers named ${JSON.stringify(name)}`);
    names.add(name);
  }
  if (config.route === undefined) return;
  if (config.route.receiver === undefined)
    reject(context, ['route', 'receiver'], 'the root route must name a receiver');
  if (config.route.matchers.length > 0)
    reject(context, ['route', 'matchers'], 'the root route takes every alert, so it must have no matchers');
  if (config.route.continue)
    reject(context, ['route', 'continue'], 'the root route has no siblings to continue with');
  checkReceivers(config.route, names, context, ['route']);
}

function checkReceivers(
  route: RouteConfig,
  names: ReadonlySet<string>,
  context: Context,
  path: readonly (string | number)[],
): void {
  if (route.receiver !== undefined && !names.has(route.receiver)) {
    const known = names.size === 0 ? 'there are no receivers' : `known receivers: ${[...names].join(', ')}`;
    reject(
      context,
      [...path, 'receiver'],
      `no receiver is named ${JSON.stringify(route.receiver)}; ${known}`,
    );
  }
  for (const [index, child] of route.routes.entries())
    checkReceivers(child, names, context, [...path, 'routes', index]);
}

function reject(context: Context, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}
