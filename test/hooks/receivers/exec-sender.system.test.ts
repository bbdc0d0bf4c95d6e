import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ExecSender } from '../../../src/hooks/receivers/exec-sender.ts';
import { DeliveryFailure } from '../../../src/hooks/receivers/sender.ts';
import { config, withFolder } from '../harness.ts';
import { TWO, context, notification, notified } from './receiver-harness.ts';

const never = new AbortController().signal;

function sender(command: readonly string[], more: object = {}): ExecSender {
  const checked = config({ receivers: [{ name: 'a', exec_configs: [{ command, ...more }] }] });
  return new ExecSender(checked.receivers[0]!.exec_configs[0]!, context);
}

function failureOf(sending: Promise<string>): Promise<DeliveryFailure> {
  return sending.then(
    () => expect.unreachable(),
    (error: unknown) => error as DeliveryFailure,
  );
}

test('a program gets the group as JSON and in its environment, and nothing of ours', async () => {
  const script = 'process.stdin.pipe(process.stdout); process.stderr.write(JSON.stringify(process.env))';
  const stdout = await sender([process.execPath, '-e', script]).send(TWO, never);
  const at = stdout.indexOf('{"receiver"');
  const json = JSON.parse(
    stdout
      .slice(at)
      .split('\n')[0]!
      .replace(/\}\{".*$/, '}'),
  ) as { alerts: unknown[] };
  expect(json).toMatchObject({ receiver: 'pager', status: 'firing', version: '4' });
  expect(json.alerts).toHaveLength(2);
  for (const pair of [
    '"TAFFRAIL_STATUS":"firing"',
    '"TAFFRAIL_FIRING":"1"',
    '"TAFFRAIL_RESOLVED":"1"',
    '"TAFFRAIL_LABEL_SERVICE":"shop"',
    '"TAFFRAIL_ANNOTATION_SUMMARY":"too <slow>"',
  ]) {
    expect(stdout).toContain(pair);
  }
  expect(stdout).not.toContain('VITEST');
});

test('no shell reads what logs say', async () => {
  const hostile = notification(notified({ alertname: '$(touch /nowhere); `id`\n"\0' }));
  const output = await sender(['printenv', 'TAFFRAIL_LABEL_ALERTNAME']).send(hostile, never);
  expect(output).toBe('$(touch /nowhere); `id`\n"\n');
});

test('a code other than 0 fails with the code and the output', async () => {
  const failure = await failureOf(sender(['sh', '-c', 'echo no route; exit 3']).send(TWO, never));
  expect(failure).toMatchObject({ message: 'sh exited with code 3', retryable: true, output: 'no route\n' });
});

test('a program that is not there fails with its name', async () => {
  const failure = await failureOf(sender(['/nowhere/notify']).send(TWO, never));
  expect(failure.message).toContain('cannot start /nowhere/notify');
});

test('a program that does not read its input is no failure', async () => {
  const large = notification(
    ...Array.from({ length: 3000 }, (_, n) => notified({ alertname: `alert-${n}` })),
  );
  expect(await sender(['true']).send(large, never)).toBe('');
});

test('of what it prints 8 KiB are kept', async () => {
  const output = await sender([process.execPath, '-e', "process.stdout.write('x'.repeat(1e6))"]).send(
    TWO,
    never,
  );
  expect(output).toHaveLength(8 * 1024);
});

test('when its time is up the whole process group goes, with those who ignore a polite request', async () => {
  await withFolder(async (dir) => {
    const pidFile = join(dir, 'pid');
    const script = `trap '' TERM; sh -c 'trap "" TERM; while :; do sleep 0.05; done' & echo $! > ${pidFile}; wait; while :; do sleep 0.05; done`;
    const failure = await failureOf(sender(['sh', '-c', script], { timeout: '500ms' }).send(TWO, never));
    expect(failure.message).toBe('sh did not end within 500 ms and was killed with its process group');
    const child = (await readFile(pidFile, 'utf8')).trim();
    await expect.poll(() => isRunning(child), { timeout: 10_000 }).toBe(false);
  });
});

test('a child that is left running and holds the output open does not hold us', async () => {
  const output = await sender(['sh', '-c', 'sleep 3 & echo done']).send(TWO, never);
  expect(output).toBe('done\n');
});

test('stopping ends the program', async () => {
  const controller = new AbortController();
  const failing = failureOf(sender(['sleep', '60']).send(TWO, controller.signal));
  controller.abort();
  expect((await failing).message).toContain('because we stop');
});

/** A killed child may wait as a zombie for whoever inherits it. */
async function isRunning(pid: string): Promise<boolean> {
  if (!existsSync(`/proc/${pid}`)) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) Z/.test(stat);
}

test.each([
  ['a NUL', 'a\0b'],
  ['200 KiB', 'x'.repeat(200 * 1024)],
  ['200 KiB of long characters', '語'.repeat(70_000)],
  ['a lone surrogate', 'a\ud800b'],
])('%s in a label of the group is no reason not to tell', async (_, value) => {
  const labels = { alertname: value, instance: value };
  const many = Object.fromEntries(Array.from({ length: 100 }, (__, i) => [`label_${i}`, value]));
  const hostile = {
    ...notification(notified({ ...labels, ...many })),
    groupKey: `{}:{instance="${value}"}`,
    groupLabels: { instance: value },
  };
  const output = await sender(['sh', '-c', 'printf "%s" "$TAFFRAIL_GROUP_KEY" | wc -c']).send(hostile, never);
  expect(Number(output)).toBeGreaterThan(10);
  expect(Number(output)).toBeLessThanOrEqual(4096);
});
