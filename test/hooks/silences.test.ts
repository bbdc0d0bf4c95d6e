import { expect, test } from 'vitest';
import { HookState } from '../../src/hooks/hook-state.ts';
import { Silences } from '../../src/hooks/silences.ts';
import { FakeClock } from '../../src/platform/clock.ts';

const HOUR = 3_600_000;

function setUp() {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const state = new HookState();
  const silences = new Silences(state, clock, async (records) => {
    for (const record of records) state.apply(record);
  });
  const posted = (more: object = {}): object => ({
    matchers: [{ name: 'alertname', value: 'x', isRegex: false, isEqual: true }],
    startsAt: '2030-01-01T00:00:00Z',
    endsAt: '2030-01-01T02:00:00.000Z',
    createdBy: 'ops',
    comment: 'planned work',
    ...more,
  });
  return { clock, state, silences, posted };
}

test('a silence is listed in the shape of Alertmanager', async () => {
  const { silences, posted } = setUp();
  const { silenceID } = await silences.add(posted());
  expect(silences.list()).toEqual([
    {
      id: silenceID,
      status: { state: 'active' },
      updatedAt: '2030-01-01T00:00:00Z',
      comment: 'planned work',
      createdBy: 'ops',
      startsAt: '2030-01-01T00:00:00Z',
      endsAt: '2030-01-01T02:00:00Z',
      matchers: [{ name: 'alertname', value: 'x', isRegex: false, isEqual: true }],
    },
  ]);
});

test('a silence mutes from its start to its end, or until it is expired', async () => {
  const { clock, silences, posted } = setUp();
  await silences.add(posted({ startsAt: '2030-01-01T01:00:00Z' }));
  const muted = (): boolean => silences.muter()({ alertname: 'x' });
  expect(muted()).toBe(false);
  await clock.advance(HOUR);
  expect(muted()).toBe(true);
  expect(silences.muter()({ alertname: 'y' })).toBe(false);
  await clock.advance(HOUR);
  expect(muted()).toBe(false);
  const { silenceID } = await silences.add(posted({ endsAt: '2030-01-01T09:00:00Z' }));
  expect(muted()).toBe(true);
  expect(await silences.expire(silenceID)).toBe(true);
  expect(muted()).toBe(false);
  expect(silences.get(silenceID)?.status.state).toBe('expired');
  expect(await silences.expire('none')).toBe(false);
});

test('a pending silence can be expired', async () => {
  const { silences, posted } = setUp();
  const { silenceID } = await silences.add(posted({ startsAt: '2030-01-01T01:00:00Z' }));
  expect(silences.get(silenceID)?.status.state).toBe('pending');
  await silences.expire(silenceID);
  expect(silences.get(silenceID)?.status.state).toBe('expired');
});

test('a change of the end keeps the silence, a change of the matchers makes a new one', async () => {
  const { clock, silences, posted } = setUp();
  const { silenceID } = await silences.add(posted());
  await clock.advance(60_000);
  const same = await silences.add(posted({ id: silenceID, endsAt: '2030-01-01T05:00:00Z' }));
  expect(same.silenceID).toBe(silenceID);
  expect(silences.get(silenceID)).toMatchObject({
    startsAt: '2030-01-01T00:00:00Z',
    endsAt: '2030-01-01T05:00:00Z',
  });
  const other = await silences.add(posted({ id: silenceID, matchers: [{ name: 'a', value: 'b' }] }));
  expect(other.silenceID).not.toBe(silenceID);
  expect(silences.get(silenceID)?.status.state).toBe('expired');
});

test('expired silences are forgotten after five days', async () => {
  const { clock, silences, posted } = setUp();
  await silences.add(posted());
  await clock.advance(121 * HOUR);
  expect(silences.outdated()).toEqual([]);
  await clock.advance(2 * HOUR);
  expect(silences.outdated()).toHaveLength(1);
});

test.each([
  ['no object', undefined, 'a silence must be an object'],
  ['no matchers', { matchers: [] }, 'at least one matcher'],
  [
    'only matchers that match everything',
    { matchers: [{ name: 'a', value: '.*', isRegex: true }] },
    'must not match the empty value',
  ],
  [
    'a regular expression that does not compile',
    { matchers: [{ name: 'a', value: '(', isRegex: true }] },
    'is not RE2',
  ],
  ['an end before the start', { endsAt: '2029-01-01T00:00:00Z' }, 'endsAt must be after startsAt'],
  ['a time that is none', { endsAt: 'tomorrow' }, 'endsAt must be an RFC 3339 time'],
  ['no author', { createdBy: '' }, 'createdBy must be text'],
  ['an id that nobody knows', { id: 'nobody' }, 'there is no silence "nobody"'],
])('%s is refused with words', async (_, more, words) => {
  const { silences, posted } = setUp();
  await expect(silences.add(more === undefined ? 5 : posted(more))).rejects.toThrow(words);
});
