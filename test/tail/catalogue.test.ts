import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Catalogue } from '../../src/tail/catalogue.ts';
import { OpenFiles } from '../../src/tail/open-files.ts';
import type { CatalogueEvents } from '../../src/tail/sight.ts';
import { type SourceState, StreamTable } from '../../src/tail/stream-table.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taffrail-catalogue-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function tableFor(paths: readonly string[]): { table: StreamTable; state: SourceState } {
  const table = new StreamTable(1, 4096);
  const settings = { startAt: 'beginning', maxLineBytes: 1024, encoding: 'utf-8', lingerMs: 30 } as const;
  const state = table.addSource({ name: 'app', paths, exclude: [], ...settings });
  return { table, state };
}

it('says what cannot be read all the while that it looks, and no longer what can be', async () => {
  const paths = [join(folder, 'app.log')];
  const { table, state } = tableFor(paths);
  const during: string[][] = [];
  const look = (): void => void during.push([...state.unreadable.keys()]);
  const none = (): void => undefined;
  const events: CatalogueEvents = {
    ready: look,
    noted: none,
    undecided: none,
    silent: none,
    passing: { folder: look, lead: none },
    lookBegins: none,
    lookEnds: none,
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

it('looks once at a family, however many of its files something happened to', async () => {
  const { table, state } = tableFor([join(folder, '*.log')]);
  const none = (): void => undefined;
  const events: CatalogueEvents = {
    ready: none,
    noted: none,
    undecided: none,
    silent: none,
    passing: { folder: none, lead: none },
    lookBegins: none,
    lookEnds: none,
  };
  const catalogue = new Catalogue(table, new OpenFiles(8), new FakeClock(), silentLog, events);
  const paths = [1, 2, 3, 4].map((number) => join(folder, `app-${number}.log`));
  for (const path of paths) await writeFile(path, `line of ${path}\n`);
  const asked = vi.spyOn(state.roles, 'of');
  await catalogue.lookAt(paths);
  // For each path, and twice for each name of one listing.
  expect(asked.mock.calls.length).toBe(paths.length * 3);
  expect([...table.streams]).toHaveLength(paths.length);
  for (const stream of table.streams) await stream.content?.close();
});
