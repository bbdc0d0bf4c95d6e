import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { expect, test } from 'vitest';
import { renderNotification } from '../../src/agent/render-notification.ts';
import { HookDispatcher } from '../../src/hooks/hook-dispatcher.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { alert, config, withFolder } from '../hooks/harness.ts';
import { jsonServer } from '../hooks/receivers/receiver-harness.ts';

const LIST =
  '{{ range .Alerts.Firing }}{{ .Labels.SortedPairs.Values | join "/" }}: {{ .Annotations.summary }}. {{ end }}';

test('Slack and mail get the texts that the templates of their receiver say', async () => {
  const mails: string[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString());
        done();
      });
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const slack = await jsonServer();
  try {
    await withFolder(async (dir) => {
      const receiver = {
        name: 'team',
        slack_configs: [
          {
            api_url: slack.url,
            channel: '#{{ .CommonLabels.team | toLower }}',
            title: '{{ template "slack.default.title" . }}',
            text: LIST,
          },
        ],
        email_configs: [
          {
            smarthost: `127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
            require_tls: false,
            from: 'watch@ship.example',
            to: 'crew@ship.example',
            headers: { Subject: '{{ .Status | title }}: {{ .GroupLabels.alertname }}' },
            text: LIST,
            html: `<p>${LIST}</p>{{ "<hr>" | safeHtml }}`,
          },
        ],
      };
      const dispatcher = new HookDispatcher({
        config: config({
          route: { receiver: 'team', group_by: ['alertname'], group_wait: '0s' },
          receivers: [receiver],
        }),
        stateDir: dir,
        clock: systemClock,
        log: silentLog,
        renderTemplate: renderNotification,
        externalUrl: 'http://taffrail.example',
      });
      await dispatcher.start();
      try {
        const labels = { alertname: 'DiskFull', team: 'OPS', disk: 'sda' };
        const annotations = { summary: '<full> & slow' };
        await dispatcher.accept([alert(labels, Date.now(), { annotations })]);
        await expect.poll(() => [slack.received.length, mails.length], { timeout: 20_000 }).toEqual([1, 1]);
      } finally {
        await dispatcher.stop(1000);
      }
    });
  } finally {
    await slack.close();
    await new Promise<void>((resolve) => smtp.close(resolve));
  }
  expect(slack.received[0]?.body).toMatchObject({
    channel: '#ops',
    attachments: [{ title: '[FIRING:1] DiskFull (sda OPS)', text: 'DiskFull/sda/OPS: <full> & slow. ' }],
  });
  expect(mails[0]).toContain('Subject: Firing: DiskFull');
  expect(mails[0]).toContain('DiskFull/sda/OPS: <full> & slow.');
  expect(mails[0]).toContain('<p>DiskFull/sda/OPS: &lt;full&gt; &amp; slow. </p><hr>');
});
