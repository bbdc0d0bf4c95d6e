import { expect, test } from 'vitest';
import { buildRoutes, groupKeyOf, groupLabelsOf, matchRoutes } from '../../src/hooks/route-tree.ts';
import { config } from './harness.ts';

const receivers = ['root', 'db', 'page', 'all', 'night'].map((name) => ({ name }));
const tree = buildRoutes(
  config({
    receivers,
    route: {
      receiver: 'root',
      group_by: ['alertname', 'cluster'],
      routes: [
        { matchers: ['log="yes"'], receiver: 'all', continue: true, group_by: ['...'] },
        {
          matchers: ['team=~"db|cache"'],
          receiver: 'db',
          group_wait: '10s',
          routes: [
            { matchers: ['severity="page"', 'env!="dev"'], receiver: 'page', repeat_interval: '1h' },
            { matchers: ['severity!~"info|debug"'] },
          ],
        },
        { matchers: ['{team="",zone="night"}'], receiver: 'night' },
      ],
    },
  }).route!,
);

test.each([
  ['nothing fits: the root takes it', {}, ['root']],
  ['a child that fits takes it from the parent', { team: 'db', severity: 'info' }, ['db']],
  ['the deepest wins', { team: 'cache', severity: 'page', env: 'prod' }, ['page']],
  ['the second child inherits the receiver', { team: 'db', severity: 'page', env: 'dev' }, ['db']],
  ['continue goes on to the siblings', { log: 'yes', team: 'db', severity: 'page' }, ['all', 'page']],
  ['continue without a further match is enough', { log: 'yes' }, ['all']],
  ['a missing label is empty', { zone: 'night' }, ['night']],
  ['expressions are anchored', { team: 'dba' }, ['root']],
])('%s', (_, labels, expected) => {
  expect(matchRoutes(tree, labels as Record<string, string>).map(({ receiver }) => receiver)).toEqual(
    expected,
  );
});

test('times and grouping are inherited, with the usual defaults at the root', () => {
  const [page] = matchRoutes(tree, { team: 'db', severity: 'page' });
  expect(page).toMatchObject({
    groupBy: ['alertname', 'cluster'],
    groupWaitMs: 10_000,
    groupIntervalMs: 300_000,
    repeatIntervalMs: 3_600_000,
  });
  expect(tree).toMatchObject({ groupWaitMs: 30_000, groupIntervalMs: 300_000, repeatIntervalMs: 14_400_000 });
});

test('group labels are those asked for that are there, or all', () => {
  const labels = { log: 'yes', alertname: 'x' };
  expect(groupLabelsOf(tree, labels)).toEqual({ alertname: 'x' });
  expect(groupLabelsOf(tree.routes[0]!, labels)).toEqual(labels);
});

test('a group key names the matchers on the way and the group labels', () => {
  const route = tree.routes[1]!.routes[0]!;
  expect(groupKeyOf(route, { alertname: 'x' })).toBe(
    '{}/{team=~"db|cache"}/{env!="dev",severity="page"}:{alertname="x"}',
  );
});
