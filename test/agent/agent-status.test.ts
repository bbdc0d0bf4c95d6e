import { expect, test } from 'vitest';
import { sourceStatuses } from '../../src/agent/agent-status.ts';
import { Ledger } from '../../src/agent/ledger.ts';
import { RateMeter } from '../../src/agent/rate-meter.ts';
import { SourceNotes } from '../../src/agent/source-notes.ts';
import type { LoadedAgentConfig } from '../../src/config/load-config.ts';
import type { FileStatus } from '../../src/model/status.ts';

const CONFIG = { sources: [{ name: 'app', parser: 'raw' }] } as unknown as LoadedAgentConfig;

const file = (stream: number, more: Partial<FileStatus>): FileStatus => ({
  source: 'app',
  path: `/var/log/app-${stream}.log`,
  stream,
  offset: 0,
  size: 0,
  lagBytes: 0,
  state: 'following',
  ...more,
});

test('of thousands of files those with trouble are shown, and all are counted', () => {
  const files = Array.from({ length: 3000 }, (_, stream) =>
    file(stream, stream < 150 ? { state: 'unreadable', error: 'EACCES' } : { lagBytes: 1 }),
  );
  const [status] = sourceStatuses(CONFIG, files, new Ledger(), new RateMeter(), new SourceNotes());
  expect(status).toMatchObject({ fileCount: 3000, unreadableCount: 150, lagBytes: 2850 });
  expect(status!.files.every(({ error }) => error === 'EACCES')).toBe(true);
});
