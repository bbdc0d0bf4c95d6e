import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { DeliveryFailure } from '../../src/hooks/receivers/sender.ts';
import type { Log } from '../../src/platform/log.ts';
import { Harness, alert, config, withFolder } from './harness.ts';

const SECRETS = [
  'T0KEN-PATH-1',
  'bearer-22222',
  'pass-33333',
  'route-44444',
  'slack-55555',
  'mail-66666',
  'env-77777',
  'header-88888',
];

const CONFIG = {
  route: { receiver: 'all', group_by: ['...'] },
  receivers: [
    {
      name: 'all',
      exec_configs: [{ command: ['true'], env: { TOKEN: 'env-77777' } }],
      webhook_configs: [
        {
          url: 'http://hook.example/T0KEN-PATH-1',
          http_config: { bearer_token: 'bearer-22222', headers: { 'x-key': 'header-88888' } },
        },
        {
          url: 'http://hook.example/',
          http_config: { basic_auth: { username: 'u', password: 'pass-33333' } },
        },
      ],
      email_configs: [
        {
          smarthost: 'h:25',
          from: 'a@x.example',
          to: 'b@x.example',
          auth_username: 'u',
          auth_password: 'mail-66666',
        },
      ],
      slack_configs: [{ api_url: 'http://chat.example/services/slack-55555' }],
      pagerduty_configs: [{ routing_key: 'route-44444' }],
    },
  ],
};

test('no secret is in logs, status, metrics, state or a printed configuration, even when a receiver sends it back', async () => {
  await withFolder(async (dir) => {
    const logged: unknown[] = [];
    const note = (fields: object, message: string): unknown => logged.push(fields, message);
    const log = { debug: note, info: note, warn: note, error: note, child: () => log } as Log;
    const harness = new Harness(dir, CONFIG, { log });
    await harness.start();
    const echo = SECRETS.join(' and ');
    harness.refuse = ({ lane }) =>
      new DeliveryFailure(`${lane}: you sent ${echo}`, { retryable: lane.includes('exec'), output: echo });
    await harness.accept(alert({ alertname: 'x' }, harness.now - 60_000));
    await harness.pass(120_000);
    const { dispatcher } = harness;
    const status = dispatcher.status();
    expect(status.receivers).toHaveLength(6);
    for (const { recent, retrying } of status.receivers)
      expect(JSON.stringify([recent, retrying])).toContain('<secret>');
    const seen = {
      logged: JSON.stringify(logged),
      status: JSON.stringify(status),
      metrics: JSON.stringify(dispatcher.metrics()),
      journal: await readFile(join(dir, 'journal'), 'utf8'),
      config: JSON.stringify(config(CONFIG)) + inspect(config(CONFIG), { depth: 20, showHidden: true }),
      dispatcher: inspect(dispatcher, { depth: 20, showHidden: true }),
    };
    for (const [where, text] of Object.entries(seen)) {
      for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
    }
    await dispatcher.stop(0);
  });
});
