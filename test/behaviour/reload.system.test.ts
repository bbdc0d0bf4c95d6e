import { randomBytes } from 'node:crypto';
import { appendFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Taffrail, type TaffrailProcess, until, untilEqual } from './run-taffrail.ts';

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
  t.write('packs/shop/pack.yaml', PACK);
});
afterEach(() => t.dispose());

const PACK = `name: shop
description: A shop's log.
pattern: '^(?<event>\\S+) (?<order>\\d+)$'
metrics:
  - { name: shop_events_total, type: counter, help: Events., labels: { event: event } }
  - { name: shop_order_seconds, type: pair, help: Time of an order., start: { event: begin }, end: { event: done }, key: order, time: now }
`;
const app = { name: 'app', paths: ['./app.log'], parser: 'raw' };
const shop = { name: 'shop', paths: ['./shop.log'], parser: 'shop' };
const fileSink = (name: string) => ({
  name,
  type: 'file',
  path: `./${name}.jsonl`,
  logs: false,
  metrics: true,
});
const base = { parsers: ['./packs'], hot_reload: false, metrics: { sample_interval: '1s' } };

async function start(config: object): Promise<TaffrailProcess> {
  t.write('app.log', 'one\ntwo\n');
  t.write('shop.log', 'begin 1\nbegin 2\ndone 1\ndone 9\nnot at all\n');
  const agent = await t.agent({ ...base, ...config });
  await until(async () => (await agent.metric('taffrail_source_lines_total')) !== undefined, 'the lines');
  return agent;
}

async function change(agent: TaffrailProcess, config: object): Promise<void> {
  t.write('taffrail.yaml', t.agentConfig({ ...base, ...config }));
  expect(await agent.reload()).toEqual({ status: 200, text: 'reloaded\n' });
}

const lines = (agent: TaffrailProcess, name: string) =>
  agent.metric('taffrail_source_lines_total', { source: name });

describe('a reload', () => {
  test('keeps counters and positions, and brings and ends sources with their metrics', async () => {
    const agent = await start({ sources: [app] });
    await untilEqual(() => agent.metric('log_lines_total', { source: 'app' }), 2, 'the counter');
    await change(agent, { sources: [app, shop] });
    await untilEqual(() => agent.metric('shop_events_total', { source: 'shop' }), 4, 'the new counter');
    expect(await agent.metric('log_lines_total', { source: 'app' })).toBe(2);
    appendFileSync(t.path('app.log'), 'three\n');
    await untilEqual(() => agent.metric('log_lines_total', { source: 'app' }), 3, 'the counter');
    await change(agent, { sources: [shop] });
    expect(await agent.metric('log_lines_total')).toBeUndefined();
    expect(await agent.metric('shop_events_total')).toBe(4);
    appendFileSync(t.path('app.log'), 'four\n');
    await change(agent, { sources: [app, shop] });
    // It goes on where it was: the ledger has each line once.
    await untilEqual(() => lines(agent, 'app'), 4, 'the lines');
    // The metric ended with its source; what began is another, and a crash does not bring the old one back.
    expect(await agent.metric('log_lines_total', { source: 'app' })).toBe(1);
    await agent.kill('SIGKILL');
    const again = await t.agent({ ...base, sources: [app, shop] });
    expect([await lines(again, 'app'), await lines(again, 'shop')]).toEqual([4, 5]);
    expect(await again.metric('shop_events_total')).toBe(4);
    expect(await again.metric('log_lines_total', { source: 'app' })).toBe(1);
    expect(await again.metric('taffrail_ledger_holds')).toBe(1);
  });

  test('that takes a path from a source and gives it back goes on where the file was left', async () => {
    const both = { ...app, paths: ['./app.log', './other.log'] };
    t.write('other.log', 'a\nb\nc\n');
    const agent = await start({ sources: [both] });
    await untilEqual(() => lines(agent, 'app'), 5, 'the lines');
    await change(agent, { sources: [app] });
    appendFileSync(t.path('other.log'), 'd\n');
    appendFileSync(t.path('app.log'), 'three\n');
    await untilEqual(() => lines(agent, 'app'), 6, 'the line of the file that is left');
    // Nor does a restart bring it back.
    await agent.kill('SIGKILL');
    const again = await t.agent({ ...base, sources: [app] });
    appendFileSync(t.path('app.log'), 'four\n');
    await untilEqual(() => lines(again, 'app'), 7, 'the next line');
    await change(again, { sources: [both] });
    await untilEqual(() => lines(again, 'app'), 8, 'the line that was written meanwhile');
    await change(again, { sources: [{ ...both, exclude: ['./other.log'] }] });
    await change(again, { sources: [both] });
    appendFileSync(t.path('other.log'), 'e\n');
    await untilEqual(() => lines(again, 'app'), 9, 'the last line');
    expect(await again.metric('taffrail_ledger_holds')).toBe(1);
  });

  test('that is refused leaves all as it was, and its error is shown until one is taken', async () => {
    const agent = await start({ sources: [app] });
    await untilEqual(() => lines(agent, 'app'), 2, 'the lines');
    const bad = { ...base, sources: [shop, { ...app, parser: 'rwa' }], sinks: [fileSink('new')] };
    t.write('taffrail.yaml', t.agentConfig(bad));
    const refused = await agent.reload();
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(/sources\[1\]\.parser: no parser pack is named "rwa"; did you mean "raw"\?/);
    const status = await agent.status();
    expect(status.config.reloadError).toContain('no parser pack is named "rwa"');
    expect(status.sources.map(({ name }) => name)).toEqual(['app']);
    expect(status.sinks).toEqual([]);
    appendFileSync(t.path('app.log'), 'three\n');
    await untilEqual(() => lines(agent, 'app'), 3, 'the lines');
    await change(agent, { sources: [app] });
    expect((await agent.status()).config).not.toHaveProperty('reloadError');
  });

  test('refuses what needs a restart, by name', async () => {
    const agent = await start({ sources: [app] });
    t.write('taffrail.yaml', t.agentConfig({ ...base, sources: [app], external_labels: { zone: 'a' } }));
    expect(await agent.reload()).toMatchObject({
      status: 400,
      text: expect.stringContaining('external_labels: cannot change in a reload; restart the agent for it'),
    });
  });

  test('by SIGHUP brings rules and takes them away', async () => {
    const agent = await start({ sources: [app], rules: ['./rules/*.yaml'] });
    const rules = async () => (await agent.status()).rules.rules;
    expect(await rules()).toBe(0);
    const file = t.write(
      'rules/app.yaml',
      'groups:\n  - name: app\n    rules:\n      - alert: Lines\n        expr: log_lines_total > 1e9\n',
    );
    agent.signal('SIGHUP');
    await untilEqual(rules, 1, 'the rules');
    rmSync(file);
    agent.signal('SIGHUP');
    await untilEqual(rules, 0, 'the rules');
  });

  test('takes over a changed pack: what it no longer makes ends, the rest goes on', async () => {
    const agent = await start({ sources: [shop] });
    await untilEqual(() => agent.metric('shop_events_total', { event: 'begin' }), 2, 'the counter');
    expect(await agent.metric('taffrail_pairs_open')).toBe(1);
    expect(await agent.metric('taffrail_pairs_unmatched_total')).toBe(1);
    expect(await agent.metric('taffrail_pairs_expired_total')).toBe(0);
    t.write('packs/shop/pack.yaml', PACK.split('\n').slice(0, 5).join('\n'));
    await change(agent, { sources: [shop] });
    expect(await agent.metric('shop_order_seconds_count')).toBeUndefined();
    expect(await agent.metric('taffrail_pairs_open')).toBeUndefined();
    appendFileSync(t.path('shop.log'), 'begin 3\n');
    await untilEqual(() => agent.metric('shop_events_total', { event: 'begin' }), 3, 'the counter');
  });

  test('that changes labels keeps the series that are the same under them, and tells of those that end', async () => {
    const agent = await start({ sources: [shop] });
    await untilEqual(() => agent.metric('shop_events_total', { event: 'begin' }), 2, 'the counter');
    t.write(
      'packs/shop/pack.yaml',
      PACK.replace('labels: { event: event }', 'labels: { order: nothing, event: event }')
        .replace('(?<order>', '(?<nothing>')
        .replace('key: order', 'key: nothing'),
    );
    await change(agent, { sources: [shop] });
    // They have no order, which is a label from now on.
    expect(await agent.metric('shop_events_total', { event: 'begin' })).toBe(2);
    t.write('packs/shop/pack.yaml', PACK.replace('labels: { event: event }', 'labels: {}'));
    await change(agent, { sources: [shop] });
    expect(await agent.metric('shop_events_total')).toBeUndefined();
    expect(agent.log('is not fed any more as it was')).toContainEqual(
      expect.objectContaining({ metric: 'shop_events_total', source: 'shop', ended: 2, kept: 0 }),
    );
    await agent.kill('SIGKILL');
    const again = await t.agent({ ...base, sources: [shop] });
    appendFileSync(t.path('shop.log'), 'begin 4\n');
    await untilEqual(() => again.metric('shop_events_total'), 1, 'the counter from its beginning');
  });

  test('brings a sink, which owes nothing of the time before it, and lets one go', async () => {
    const agent = await start({ sources: [app], sinks: [fileSink('first')] });
    await untilEqual(() => lines(agent, 'app'), 2, 'the lines');
    await change(agent, { sources: [app], sinks: [fileSink('second')] });
    const { sinks } = await agent.status();
    expect(sinks.map(({ name }) => name)).toEqual(['second']);
    expect(sinks[0]!.ledger['app']).toMatchObject({ before: 2, buffered: 0, lost: {} });
    appendFileSync(t.path('app.log'), 'three\n');
    await untilEqual(
      async () => (await agent.status()).sinks[0]!.ledger['app']!.delivered,
      1,
      'the lines delivered',
    );
    expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
  });

  test('mends a wrong address although the buffer is full because of it', async () => {
    const collector = await t.collector();
    const line = (): string => `${randomBytes(500).toString('hex')}\n`;
    t.write('big.log', Array.from({ length: 6000 }, line).join(''));
    const config = (endpoint: string) => ({
      ...base,
      sources: [{ name: 'big', paths: ['./big.log'], records: true }],
      sinks: [{ name: 'central', type: 'otlp', endpoint, retry_initial: '50ms', retry_max: '100ms' }],
      buffer: { max_bytes: '1MiB', commit_bytes: '64KiB', batch_bytes: '64KiB' },
    });
    const agent = await t.agent(config('http://127.0.0.1:1'));
    await until(async () => (await agent.metric('taffrail_buffer_full')) === 1, 'the buffer to be full');
    await change(agent, config(collector.url));
    await untilEqual(
      async () => (await agent.status()).sinks[0]!.ledger['big']?.delivered,
      6000,
      'the lines delivered',
    );
    expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
  });

  test('comes by itself when the configuration changes, and when what it newly names does', async () => {
    const agent = await start({ sources: [app], hot_reload: true });
    t.write('packs2/other/pack.yaml', PACK.replace('name: shop', 'name: other'));
    const two = { ...base, hot_reload: true, parsers: ['./packs', './packs2'] };
    const other = { ...shop, parser: 'other' };
    t.write('taffrail.yaml', t.agentConfig({ ...two, sources: [app, other] }));
    await untilEqual(() => agent.metric('shop_events_total'), 4, 'the metrics of the new source');
    const renamed = PACK.replace('name: shop', 'name: other').replace('shop_events', 'other_events');
    // Until the new folder is watched nothing tells of a change in it.
    await until(() => {
      t.write('packs2/other/pack.yaml', renamed);
      appendFileSync(t.path('shop.log'), 'begin 7\n');
      return agent.metric('other_events_total').then((value) => value !== undefined);
    }, 'the metric by its new name');
    expect(await agent.metric('shop_events_total')).toBeUndefined();
  });
});
