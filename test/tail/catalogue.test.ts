import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Catalogue } from '../../src/tail/catalogue.ts';
import { OpenFiles } from '../../src/tail/open-files.ts';
import type { CatalogueEvents } from '../../src/tail/sight.ts';
import { StreamTable } from '../../src/tail/stream-table.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taffrail-catalogue-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('says what cannot be read all the while that it looks, and no longer what can be', async () => {
  const table = new StreamTable(1, 4096);
  const paths = [join(folder, 'app.log')];
  const settings = { startAt: 'beginning', maxLineBytes: 1024, encoding: 'utf-8', lingerMs: 30 } as const;
  table.addSource({ name: 'app', paths, exclude: [], ...settings }, []);
  const state = table.sources.get('app')!;
  const during: string[][] = [];
  const look = (): void => void during.push([...state.unreadable.keys()]);
  const none = (): void => undefined;
  const events: CatalogueEvents = {
    ready: look,
    noted: none,
    undecided: none,
    silent: none,
    folderFound: look,
  };
  const files = new OpenFiles(8);
  const catalogue = new Catalogue(table, files, new FakeClock(), silentLog, events);
  await writeFile(paths[0]!, 'line\n');
  state.unreadable.set('a folder', 'EACCES');
  await catalogue.lookAtAll();
  expect(during).toEqual([['a folder'], ['a folder']]);
  expect([...state.unreadable]).toEqual([]);
  for (const stream of table.streams) await stream.content?.close();
});
