import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningCollector } from '../collector/running-collector.ts';
import { jsonServer } from '../hooks/receivers/receiver-harness.ts';

const run = promisify(execFile);

const installed = await run('amtool', ['--version']).then(
  () => true,
  () => false,
);

describe.skipIf(!installed && process.env['CI'] !== 'true')(
  `amtool speaks to a collector as to an Alertmanager${installed ? '' : ' (left out: amtool is not installed)'}`,
  () => {
    let hook: Awaited<ReturnType<typeof jsonServer>>;
    let collector: RunningCollector;

    beforeAll(async () => {
      expect(installed, 'amtool is needed: apt-get install prometheus-alertmanager').toBe(true);
      hook = await jsonServer();
      collector = await RunningCollector.start({
        built_in_rules: false,
        route: {
          receiver: 'all',
          group_by: ['alertname'],
          group_wait: '100ms',
          group_interval: '1s',
          routes: [{ matchers: ['severity="page"'], receiver: 'pager', group_by: ['job'] }],
        },
        receivers: [{ name: 'all', webhook_configs: [{ url: hook.url }] }, { name: 'pager' }],
        inhibit_rules: [{ source_matchers: ['alertname="Big"'], target_matchers: ['alertname="Small"'] }],
      });
    });

    afterAll(async () => {
      await collector.stop();
      await hook.close();
    });

    async function amtool(...args: readonly string[]): Promise<string> {
      const { stdout } = await run('amtool', [`--alertmanager.url=${collector.url}`, ...args]);
      return stdout;
    }

    async function alerts(...args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
      return JSON.parse(await amtool('-o', 'json', 'alert', 'query', ...args)) as Record<string, unknown>[];
    }

    it('alerts that it adds are routed, told, shown, and end', async () => {
      await amtool(
        'alert',
        'add',
        'Disk',
        'job=db',
        'instance=a',
        '--annotation=summary=full',
        '--generator-url=http://x.example/',
      );
      await expect.poll(() => hook.received.length, { timeout: 60_000 }).toBe(1);
      expect(hook.received[0]!.body).toMatchObject({
        groupKey: '{}:{alertname="Disk"}',
        alerts: [
          {
            labels: { alertname: 'Disk', job: 'db', instance: 'a' },
            annotations: { summary: 'full' },
            generatorURL: 'http://x.example/',
          },
        ],
      });
      const [shown, ...others] = await alerts();
      expect(others).toEqual([]);
      expect(shown).toMatchObject({
        status: { state: 'active', silencedBy: [], inhibitedBy: [] },
        receivers: [{ name: 'all' }],
      });
      expect(await amtool('alert')).toContain('Disk');
      expect(await alerts('job=other')).toEqual([]);
      expect(await alerts('job=~d.', 'instance!=b')).toHaveLength(1);
      expect(await alerts('--receiver=pager')).toEqual([]);
      // Sent again without a start, it goes on from its first one.
      await amtool('alert', 'add', 'Disk', 'job=db', 'instance=a');
      expect((await alerts())[0]!['startsAt']).toBe(shown!['startsAt']);
      await amtool(
        'alert',
        'add',
        'Disk',
        'job=db',
        'instance=a',
        `--end=${new Date(Date.now() - 1).toISOString()}`,
      );
      await expect.poll(() => hook.received.length, { timeout: 60_000 }).toBe(2);
      expect(hook.received[1]!.body).toMatchObject({ status: 'resolved' });
      expect(await alerts()).toEqual([]);
    });

    it('silences are added, found, changed, ended and imported', async () => {
      await amtool('alert', 'add', 'Slow', 'job=web');
      const id = (
        await amtool('silence', 'add', 'alertname=Slow', 'job=~w.*', '--author=me', '--comment=known')
      ).trim();
      expect(id).toMatch(/^[\da-f-]{36}$/);
      expect(await alerts('alertname=Slow')).toEqual([]);
      const [silenced] = await alerts('--silenced', 'alertname=Slow');
      expect(silenced).toMatchObject({ status: { state: 'suppressed', silencedBy: [id] } });
      expect(await amtool('silence', 'query', 'alertname=Slow')).toContain(id);
      expect(await amtool('silence', 'query', 'alertname=Other')).not.toContain(id);
      const updated = JSON.parse(await amtool('-o', 'json', 'silence', 'update', id, '--comment=still')) as {
        comment: string;
      }[];
      expect(updated[0]).toMatchObject({ comment: 'still' });
      const exported = await amtool('-o', 'json', 'silence', 'query', 'alertname=Slow');
      await amtool('silence', 'expire', id);
      expect(await alerts('alertname=Slow')).toHaveLength(1);
      expect(await amtool('silence', 'query', '--expired', '--within=1h', 'alertname=Slow')).toContain(id);
      writeFileSync(join(collector.folder, 'silences.json'), exported);
      // An export names ids that are there; an import into another place must make new ones.
      await amtool('silence', 'import', '--force', join(collector.folder, 'silences.json'));
      expect(await alerts('alertname=Slow')).toEqual([]);
      const still = JSON.parse(await amtool('-o', 'json', 'silence', 'query')) as { id: string }[];
      expect(still).toHaveLength(1);
      await amtool('silence', 'expire', still[0]!.id);
      await expect(amtool('silence', 'expire', id.replace(/^.{8}/, '00000000'))).rejects.toThrow(/404/);
    });

    it('an inhibited alert names the alert that mutes it', async () => {
      await amtool('alert', 'add', 'Big');
      await amtool('alert', 'add', 'Small');
      const [big] = await alerts('alertname=Big');
      expect(await alerts('alertname=Small')).toEqual([]);
      const [small] = await alerts('--inhibited', 'alertname=Small');
      expect(small).toMatchObject({ status: { state: 'suppressed', inhibitedBy: [big!['fingerprint']] } });
    });

    it('groups are shown with receiver and labels', async () => {
      await amtool('alert', 'add', 'Page', 'severity=page', 'job=db');
      const answer = await request(`${collector.url}/api/v2/alerts/groups?receiver=pager`);
      expect(await answer.body.json()).toMatchObject([
        { labels: { job: 'db' }, receiver: { name: 'pager' }, alerts: [{ labels: { alertname: 'Page' } }] },
      ]);
    });

    it('status, configuration, routes and the cluster are shown', async () => {
      expect(await amtool('config', 'show')).toContain('receiver: all');
      const routes = await amtool('config', 'routes', 'show');
      expect(routes).toContain('{severity="page"}  receiver: pager');
      expect((await amtool('config', 'routes', 'test', 'severity=page')).trim()).toBe('pager');
      expect((await amtool('config', 'routes', 'test', 'severity=low')).trim()).toBe('all');
      expect(await amtool('cluster', 'show')).toContain('disabled');
      // What is shown is a configuration that amtool itself takes.
      const shown = await request(`${collector.url}/api/v2/status`);
      const { config } = (await shown.body.json()) as { config: { original: string } };
      writeFileSync(join(collector.folder, 'am.yml'), config.original);
      expect(await amtool('check-config', join(collector.folder, 'am.yml'))).toContain('SUCCESS');
      const receivers = await request(`${collector.url}/api/v2/receivers`);
      expect(await receivers.body.json()).toEqual([{ name: 'all' }, { name: 'pager' }]);
    });

    it.each([
      ['POST', '/api/v2/alerts', '{"labels":{"a":"b"}}', 400, 'expected a list of alerts'],
      ['POST', '/api/v2/alerts', '[{"labels":{}}]', 400, 'at least one label pair required'],
      ['POST', '/api/v2/alerts', '[{"labels":{"a-b":"c"}}]', 400, 'labels: invalid name'],
      ['POST', '/api/v2/alerts', '[{"labels":{"a":3}}]', 400, 'the value of a must be text'],
      ['POST', '/api/v2/alerts', '[{"labels":{"a":"\\ud800"}}]', 400, 'the value of a must be text'],
      [
        'POST',
        '/api/v2/alerts',
        '[{"labels":{"a":"b"},"startsAt":"2030-01-01T00:00:00Z","endsAt":"2029-01-01T00:00:00Z"}]',
        400,
        'start time must be before end time',
      ],
      [
        'POST',
        '/api/v2/alerts',
        '[{"labels":{"a":"b"},"startsAt":"soon"}]',
        400,
        'startsAt must be an RFC 3339 time',
      ],
      ['POST', '/api/v2/alerts', '{', 400, 'not JSON'],
      [
        'POST',
        '/api/v2/silences',
        '{"endsAt":"2100-01-01T00:00:00Z","matchers":[]}',
        400,
        'matchers must be a list',
      ],
      ['GET', '/api/v2/alerts?filter=%7B', undefined, 400, 'cannot read the matcher'],
      ['GET', '/api/v2/alerts?receiver=(', undefined, 400, 'is not RE2'],
      ['GET', '/api/v2/silence/x', undefined, 422, 'must be of type uuid'],
      ['GET', '/api/v2/silence/3fa85f64-5717-4562-b3fc-2c963f66afa6', undefined, 404, ''],
      ['PUT', '/api/v2/silence/3fa85f64-5717-4562-b3fc-2c963f66afa6', '{}', 405, 'ended with DELETE'],
    ])('%s %s with %s is refused', async (method, path, body, expected, message) => {
      const answer = await request(`${collector.url}${path}`, {
        method: method as 'GET',
        ...(body === undefined ? {} : { body }),
      });
      expect(answer.statusCode).toBe(expected);
      expect(await answer.body.text()).toContain(message);
    });

    it('a page of another site cannot add alerts', async () => {
      const answer = await request(`${collector.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { origin: 'http://evil.example' },
        body: '[{"labels":{"a":"b"}}]',
      });
      expect(answer.statusCode).toBe(403);
    });
  },
);
