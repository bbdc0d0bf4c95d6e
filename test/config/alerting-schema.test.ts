import { expect, test } from 'vitest';
import { z } from 'zod';
import { alertingShape } from '../../src/config/alerting-schema.ts';
import { Secret } from '../../src/platform/secret.ts';
import { schema } from '../hooks/harness.ts';

const receivers = [{ name: 'a' }];

test('an empty configuration tells nobody', () => {
  expect(schema.parse({})).toEqual({ receivers: [], inhibit_rules: [] });
});

test('durations are milliseconds, matchers are compiled, secrets are wrapped', () => {
  const checked = schema.parse({
    route: { receiver: 'a', group_wait: '1m30s', routes: [{ matchers: ['x="1"', '{y=~"2"}'] }] },
    receivers: [{ name: 'a', webhook_configs: [{ url: 'https://h.example/x', timeout: '5s' }] }],
  });
  expect(checked.route).toMatchObject({
    group_wait: 90_000,
    routes: [{ matchers: [{ name: 'x' }, { name: 'y', kind: '=~' }] }],
  });
  expect(checked.receivers[0]?.webhook_configs[0]).toMatchObject({
    timeout: 5000,
    retry_for: 86_400_000,
    send_resolved: true,
  });
  expect(checked.receivers[0]?.webhook_configs[0]?.url).toBeInstanceOf(Secret);
});

test.each([
  [
    'a root without a receiver',
    { route: {}, receivers },
    'route.receiver',
    'the root route must name a receiver',
  ],
  [
    'a receiver that is not there',
    { route: { receiver: 'b' }, receivers },
    'route.receiver',
    'no receiver is named "b"; known receivers: a',
  ],
  [
    'one deep in the tree',
    { route: { receiver: 'a', routes: [{ routes: [{ receiver: 'c' }] }] }, receivers },
    'route.routes.0.routes.0.receiver',
    'no receiver is named "c"',
  ],
  [
    'matchers at the root',
    { route: { receiver: 'a', matchers: ['x=y'] }, receivers },
    'route.matchers',
    'must have no matchers',
  ],
  [
    'continue at the root',
    { route: { receiver: 'a', continue: true }, receivers },
    'route.continue',
    'no siblings',
  ],
  [
    'the same name twice',
    { receivers: [{ name: 'a' }, { name: 'a' }] },
    'receivers.1.name',
    'two receivers named "a"',
  ],
  [
    '... beside a label',
    { route: { receiver: 'a', group_by: ['...', 'x'] }, receivers },
    'route.group_by',
    'must be alone',
  ],
  [
    'a label twice',
    { route: { receiver: 'a', group_by: ['x', 'x'] }, receivers },
    'route.group_by',
    'names a label twice',
  ],
  [
    'a matcher that is none',
    { route: { receiver: 'a', routes: [{ matchers: ['x'] }] }, receivers },
    'route.routes.0.matchers.0',
    'cannot read the matcher',
  ],
  [
    'an inhibition without a source',
    { inhibit_rules: [{ source_matchers: [], target_matchers: ['a=b'] }] },
    'inhibit_rules.0.source_matchers',
    'at least one matcher',
  ],
  ['an unknown key', { route: { receiver: 'a', group_wiat: '1s' }, receivers }, 'route', 'group_wiat'],
  [
    'no program',
    { receivers: [{ name: 'a', exec_configs: [{ command: [] }] }] },
    'receivers.0.exec_configs.0.command',
    'at least the program',
  ],
  [
    'an address that is none',
    { receivers: [{ name: 'a', webhook_configs: [{ url: 'h.example' }] }] },
    'receivers.0.webhook_configs.0.url',
    'http://',
  ],
  [
    'a smarthost without a port',
    { receivers: [{ name: 'a', email_configs: [{ smarthost: 'h', from: 'x', to: 'y' }] }] },
    'receivers.0.email_configs.0.smarthost',
    'host:port',
  ],
  [
    'two kinds of credentials',
    {
      receivers: [
        {
          name: 'a',
          webhook_configs: [
            {
              url: 'http://h',
              http_config: { bearer_token: 'x', basic_auth: { username: 'u', password: 'p' } },
            },
          ],
        },
      ],
    },
    'receivers.0.webhook_configs.0.http_config',
    'exclude each other',
  ],
])('%s is refused where it stands', (_, value, path, words) => {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const found = issues.find((issue) => issue.path.join('.') === path);
  expect(found?.message).toContain(words);
});

test('every option has its sentence and names its default', () => {
  const json = z.toJSONSchema(z.strictObject(alertingShape), { io: 'input', target: 'draft-7' });
  const missing: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties } = node as { properties?: Record<string, { description?: string }> };
    for (const [name, option] of Object.entries(properties ?? {})) {
      if (!/default|required|inherited|always there|root route must/i.test(option.description ?? ''))
        missing.push(`${path}.${name}`);
    }
    for (const [key, child] of Object.entries(node)) walk(child, `${path}.${key}`);
  };
  walk(json, '');
  expect(missing.filter((path) => !/inhibit_rules.*_matchers$|\.route$/.test(path))).toEqual([]);
});
