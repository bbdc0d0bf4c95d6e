import { expect, test } from 'vitest';
import { checkHeartbeat, soundParts } from '../../src/collect/heartbeat-schema.ts';
import { fc } from '../fuzz.ts';

const WELL = { agent: 'a', epoch: 'e', instance: 'i', generation: 1 };

test.each([
  [null, 'the heartbeat must be an object'],
  [[], 'the heartbeat must be an object'],
  [{ ...WELL, host: {} }, `the heartbeat's "host" must be text`],
  [{ ...WELL, host: 'a\u0000b' }, `the heartbeat's "host" must be text of at most 512 characters`],
  [{ ...WELL, host: 'x'.repeat(513) }, `the heartbeat's "host" must be text of at most 512 characters`],
  [{ ...WELL, agent: 'a b' }, `the heartbeat's "agent" must be a word`],
  [{ ...WELL, generation: 1.5 }, `the heartbeat's "generation"`],
  [{ ...WELL, problems: [{}] }, `the heartbeat's "problems.0" must be text`],
  [{ ...WELL, problems: 'x' }, `the heartbeat's "problems"`],
  [{ ...WELL, sources: {} }, `the heartbeat's "sources"`],
  [{ ...WELL, sources: [null] }, `the heartbeat's "sources.0"`],
  [
    { ...WELL, sources: [{ name: 'a', lagBytes: '5' }] },
    `the heartbeat's "sources.0.lagBytes" must be a number`,
  ],
  [{ ...WELL, sinks: [{ name: 'a', ledger: { s: 5 } }] }, `the heartbeat's "sinks.0.ledger.s"`],
  [
    { ...WELL, alerts: [{ labels: { a: {} }, state: 'firing' }] },
    `the heartbeat's "alerts.0.labels.a" must be text`,
  ],
  [{ ...WELL, startedAtMs: 1e300 }, `the heartbeat's "startedAtMs"`],
  [{ ...WELL, startedAtMs: Infinity }, `the heartbeat's "startedAtMs"`],
  [{ ...WELL, deliveredRecords: { web: -1 } }, `the heartbeat's "deliveredRecords.web"`],
])('%j is refused with the key', (value, message) => {
  const checked = checkHeartbeat(value);
  expect(checked.kind === 'bad' ? checked.message : 'taken').toContain(message);
});

test('what newer agents add is kept, and what is nested beyond measure is not', () => {
  expect(checkHeartbeat({ ...WELL, newer: { list: [1] } })).toMatchObject({
    kind: 'ok',
    beat: { newer: { list: [1] } },
  });
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  expect(checkHeartbeat({ ...WELL, newer: deep })).toMatchObject({ kind: 'bad' });
  expect(soundParts({ newer: deep })).toBeNull();
});

test('of what is stored only the parts that are sound are shown', () => {
  expect(soundParts({ ...WELL, host: {}, sources: 5, version: '1' })).toEqual({ ...WELL, version: '1' });
  expect(soundParts({ ...WELL, alerts: [{}], problems: ['x'] })).toEqual({ ...WELL, problems: ['x'] });
  expect([soundParts(null), soundParts(5), soundParts([])]).toEqual([null, null, null]);
});

test('whatever is stored, its sound parts are a heartbeat but for what is missing', () => {
  const keys = fc.constantFrom(
    'agent',
    'host',
    'sources',
    'sinks',
    'alerts',
    'problems',
    'throughBatch',
    'startedAtMs',
  );
  fc.assert(
    fc.property(fc.dictionary(keys, fc.jsonValue()), (value) => {
      const sound = soundParts(value);
      expect(checkHeartbeat({ ...WELL, ...sound }).kind).toBe('ok');
    }),
    { numRuns: 300 },
  );
});
