import { closeSync, fstatSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isJournal, withPriority } from '../../src/platform/journal.ts';

test('the stream that systemd names is the journal, and no other', () => {
  const fd = openSync('/dev/null', 'r');
  const { dev, ino } = fstatSync(fd, { bigint: true });
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(true);
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, fd)).toBe(false);
  expect(isJournal({}, fd)).toBe(false);
  closeSync(fd);
  expect(isJournal({ JOURNAL_STREAM: '1:1' }, 1_000_000)).toBe(false);
});

test('each line has its priority', () => {
  expect(withPriority('one\ntwo\n', 3)).toBe('<3>one\n<3>two\n');
});
