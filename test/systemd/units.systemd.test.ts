import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine, obstacle } from './machine.ts';

const AGENT = 'taffrail-agent.service';
const COLLECTOR = 'taffrail-collector.service';
const missing = obstacle();
if (missing !== undefined && process.env['CI'] === 'true')
  throw new Error(`these tests are required here, but ${missing}`);

const CONFIG = `sources:
  - { name: app, paths: [/var/log/app.log], parser: raw, records: true }
sinks:
  - name: central
    type: otlp
    endpoint: http://127.0.0.1:4318
    bearer_token: \${file:\${env:CREDENTIALS_DIRECTORY}/token}
`;
const COLLECTOR_CONFIG = `listen: 127.0.0.1:4318
tokens: ["\${file:\${env:CREDENTIALS_DIRECTORY}/token}"]
`;
const CREDENTIAL = '[Service]\nLoadCredential=token:/etc/taffrail/token\n';

describe.skipIf(missing !== undefined)(
  `in a real systemd${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const kept = process.env['TAFFRAIL_SYSTEMD_ROOT'];
    const root = kept ?? mkdtempSync(join(tmpdir(), 'taffrail-machine-'));
    const machine = new Machine(root);

    beforeAll(async () => {
      machine.install();
      machine.write('etc/taffrail/taffrail.yaml', CONFIG);
      machine.write('etc/taffrail/collector.yaml', COLLECTOR_CONFIG);
      machine.write('etc/taffrail/token', 'a-token-of-this-machine\n');
      for (const unit of [AGENT, COLLECTOR])
        machine.write(`etc/systemd/system/${unit}.d/token.conf`, CREDENTIAL);
      machine.write('var/log/app.log', '');
      machine.restrictToAdm('var/log/app.log');
      await machine.boot();
    }, 300_000);
    afterAll(async () => {
      await machine.powerOff();
      if (kept === undefined) rmSync(root, { recursive: true, force: true });
    }, 60_000);

    const status = (): {
      sources: { ledger: { read: number } }[];
      sinks: { ledger: Record<string, { delivered: number }> }[];
    } =>
      JSON.parse(
        machine.run('taffrail', 'status', '--json').replace(/^Warning.*$/gm, '') ||
          '{"sources":[],"sinks":[]}',
      );
    const delivered = (): number => {
      try {
        return status().sinks[0]?.ledger['app']?.delivered ?? 0;
      } catch {
        return 0;
      }
    };
    const lines = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}\n`).join('');

    test('both units start and are ready, with a status text', () => {
      machine.run('systemctl', 'daemon-reload');
      machine.run('systemctl', 'start', COLLECTOR, AGENT);
      expect([machine.property(AGENT, 'ActiveState'), machine.property(COLLECTOR, 'ActiveState')]).toEqual([
        'active',
        'active',
      ]);
      expect(machine.property(AGENT, 'StatusText')).toContain('ready; 1 sources');
      expect(machine.property(AGENT, 'User')).toBe('taffrail');
    });

    test('a log that only group adm may read is read, and shipped with the token from the credentials', async () => {
      machine.append('var/log/app.log', lines(1, 1000));
      await machine.until('1,000 lines are delivered', () => delivered() === 1000);
    });

    test('after kill -9 it is started again and no line is lost or repeated', async () => {
      const before = machine.property(AGENT, 'MainPID');
      machine.append('var/log/app.log', lines(1001, 1500));
      machine.run('kill', '-9', before);
      machine.append('var/log/app.log', lines(1501, 2000));
      await machine.until(
        'it runs again',
        () =>
          machine.property(AGENT, 'ActiveState') === 'active' &&
          machine.property(AGENT, 'MainPID') !== before,
      );
      await machine.until('2,000 lines are delivered', () => delivered() === 2000);
      expect(status().sources[0]!.ledger.read).toBe(2000);
    });

    test('a reload ends well; a refused one fails, keeps the old configuration, and is an error in the journal', async () => {
      const before = machine.property(AGENT, 'MainPID');
      expect(machine.run('systemctl', 'reload', AGENT)).toBe('');
      machine.write('etc/taffrail/taffrail.yaml', `${CONFIG}surces: []\n`);
      expect(machine.status('systemctl', 'reload', AGENT)).toBe(1);
      expect(machine.run('taffrail', 'status')).toContain('did you mean "sources"?');
      expect(machine.run('taffrail', 'reload')).toContain('did you mean "sources"?');
      expect([machine.property(AGENT, 'ActiveState'), machine.property(AGENT, 'MainPID')]).toEqual([
        'active',
        before,
      ]);
      await machine.until('the error is in the journal as one', () =>
        machine.run('journalctl', '-u', AGENT, '-p', 'err', '-o', 'cat').includes('reload refused'),
      );
      expect(machine.run('journalctl', '-u', AGENT, '-p', 'err', '-o', 'cat')).not.toContain('agent started');
      expect(machine.run('journalctl', '-u', AGENT, '-o', 'cat')).toContain('agent started');
    });

    test("a collector's reload fails and ends well likewise; nobody but its user and root may ask", () => {
      expect(machine.run('systemctl', 'reload', COLLECTOR)).toBe('');
      machine.write('etc/taffrail/collector.yaml', `${COLLECTOR_CONFIG}rules: 5\n`);
      expect(machine.status('systemctl', 'reload', COLLECTOR)).toBe(1);
      machine.write('etc/taffrail/collector.yaml', COLLECTOR_CONFIG);
      expect(machine.status('systemctl', 'reload', COLLECTOR)).toBe(0);
      const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'taffrail', 'reload'];
      expect(machine.status(...asNobody)).toBe(2);
      for (const name of ['taffrail/agent.sock', 'taffrail-collector/collector.sock'])
        expect(machine.run('stat', '-c', '%U %a', `/run/${name}`).trim()).toBe('taffrail 600');
    });

    test('a restart with a bad configuration fails, and it comes back by itself once the file is mended', async () => {
      const refused = machine.run('systemctl', 'restart', AGENT);
      expect(refused).toContain('failed');
      expect(machine.property(AGENT, 'ActiveState')).not.toBe('active');
      expect(machine.run('journalctl', '-u', AGENT, '-p', 'err', '-o', 'cat')).toContain('taffrail.yaml:');
      machine.write('etc/taffrail/taffrail.yaml', CONFIG);
      await machine.until('it runs again', () => machine.property(AGENT, 'ActiveState') === 'active');
    });

    test.each([AGENT, COLLECTOR])('the pages that %s names are installed', (unit) => {
      const pages = machine.property(unit, 'Documentation').split(' ');
      expect(pages.length).toBeGreaterThan(0);
      for (const page of pages) expect(machine.status('test', '-s', page.replace(/^file:/, ''))).toBe(0);
    });

    test('it stops within its time, and cleanly', () => {
      machine.run('systemctl', 'stop', AGENT, COLLECTOR);
      expect([machine.property(AGENT, 'ActiveState'), machine.property(AGENT, 'Result')]).toEqual([
        'inactive',
        'success',
      ]);
      expect([machine.property(COLLECTOR, 'ActiveState'), machine.property(COLLECTOR, 'Result')]).toEqual([
        'inactive',
        'success',
      ]);
    });

    test.each([AGENT, COLLECTOR])('systemd-analyze security calls the exposure of %s low', (unit) => {
      const level = /exposure level for .*: ([\d.]+)/.exec(
        machine.run('systemd-analyze', 'security', unit, '--no-pager'),
      )?.[1];
      expect(Number(level)).toBeLessThan(2);
    });
  },
);
