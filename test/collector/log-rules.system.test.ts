import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { Collector } from '../../src/collector.ts';
import { loadCollectorPlan } from '../../src/collector/load-collector-plan.ts';
import { silentLog } from '../../src/platform/log.ts';
import { push, ago } from '../collect/loki/loki-collector.ts';

const dir = mkdtempSync(join(tmpdir(), 'taffrail-log-rules-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('lines that are pushed fire an alert, which a receiver is told of, and a recording rule writes their count', async () => {
  const told: string[] = [];
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      told.push(Buffer.concat(parts).toString('utf8'));
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  writeFileSync(
    join(dir, 'log-rules.yaml'),
    `groups:
  - name: lines
    interval: 1s
    query_offset: 0s
    rules:
      - { record: 'failures:count', expr: 'sum by (host) (count_over_time({source="ssh"} |= "Failed" [10m]))' }
      - { alert: Failing, expr: 'sum by (host) (count_over_time({source="ssh"} |= "Failed" [10m])) > 2' }
`,
  );
  const file = join(dir, 'collector.yaml');
  writeFileSync(
    file,
    `state_dir: ${join(dir, 'state')}
listen: 127.0.0.1:0
built_in_rules: false
log_rules: [log-rules.yaml]
route: { receiver: hook, group_wait: 0s }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${port}/' }] }]
`,
  );
  const collector = await Collector.start(await loadCollectorPlan(file), silentLog);
  try {
    const values = [1, 2, 3].map((i) => [ago(i), `Failed password ${i}`]);
    expect((await push(collector.url, [{ stream: { source: 'ssh', host: 'm1' }, values }])).status).toBe(204);
    await vi.waitFor(() => expect(told.join()).toContain('"alertname":"Failing"'), {
      timeout: 60_000,
      interval: 200,
    });
    expect(told.join()).toContain('"host":"m1"');
    await vi.waitFor(
      async () => {
        const answer = await fetch(`${collector.url}/api/v1/query?query=failures:count`);
        expect(await answer.json()).toMatchObject({
          data: { result: [{ metric: { host: 'm1' }, value: [expect.any(Number), '3'] }] },
        });
      },
      { timeout: 60_000, interval: 500 },
    );
    const rules = await fetch(`${collector.url}/api/v1/rules`);
    expect(await rules.text()).toContain('Failed');
  } finally {
    await collector.stop();
    receiver.close();
  }
});
