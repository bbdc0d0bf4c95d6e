import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../fixture.ts';
import { flat, samplesFolder, TestHead } from './head-fixture.ts';

const START = Math.floor(1_700_000_000_000 / 7_200_000) * 7_200_000;
const HOUR = 3_600_000;
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  folder.remove();
});

/** Two windows of samples, of which the older one is a block; the rest in a snapshot, or in the log as after a kill. */
async function filled(how: 'closed' | 'killed'): Promise<void> {
  const head = await TestHead.open(folder.path);
  await head.service.maintain(START);
  for (let i = 0; i < 16; i++)
    await head.write([1, 2, 3].map((s) => flat(s, START + (i * HOUR) / 4, s * 100 + i)));
  await head.service.maintain(START + 2.5 * HOUR);
  await head.write([flat(9, START + 4 * HOUR, 9)]);
  if (how === 'closed') await head.close();
}

function file(kind: string): string {
  const name = readdirSync(samplesFolder(folder.path))
    .filter((one) => one.startsWith(kind))
    .sort()
    .at(-1)!;
  return join(samplesFolder(folder.path), name);
}

function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 0xff;
  writeFileSync(path, bytes);
}

async function counts(head: TestHead): Promise<Record<string, number>> {
  return Object.fromEntries([...(await head.read('m'))].map(([s, samples]) => [s, samples.size]));
}

const WHOLE = { 1: 16, 2: 16, 3: 16, 9: 1 };

test('a log whose end a crash cut off gives all groups before it, without a word', async () => {
  await filled('killed');
  const path = file('wal-');
  truncateSync(path, readFileSync(path).length - 3);
  const head = await TestHead.open(folder.path);
  expect(head.warnings).toEqual([]);
  expect(await counts(head)).toEqual({ 1: 16, 2: 16, 3: 16 });
  await head.close();
});

test('a damaged group in the log is told, and those after it are read', async () => {
  await filled('killed');
  damage(file('wal-'), 40);
  const head = await TestHead.open(folder.path);
  expect(head.warnings).toEqual(['1 groups of samples in the log are damaged and left out']);
  expect((await counts(head))['9']).toBe(1);
  await head.close();
});

test('a damaged snapshot is told; the series of blocks are found without it', async () => {
  await filled('closed');
  damage(file('snapshot-'), 60);
  const head = await TestHead.open(folder.path);
  expect(head.warnings).toEqual([expect.stringMatching(/snapshot-\d+ is damaged/)]);
  expect(await counts(head)).toEqual({ 1: 8, 2: 8, 3: 8 });
  expect(await head.write([flat(1, START + 5 * HOUR, 5)])).toMatchObject({ kind: 'stored' });
  expect((await counts(head))['1']).toBe(9);
  await head.close();
});

test('without snapshot and log the blocks still say all that is in them', async () => {
  await filled('closed');
  rmSync(file('snapshot-'));
  for (const name of readdirSync(samplesFolder(folder.path)).filter((one) => one.startsWith('wal-')))
    rmSync(join(samplesFolder(folder.path), name));
  const head = await TestHead.open(folder.path);
  expect(await counts(head)).toEqual({ 1: 8, 2: 8, 3: 8 });
  await head.close();
});

test('a block that ends early is told and left out, and the rest is answered', async () => {
  await filled('closed');
  const path = file('block-');
  truncateSync(path, readFileSync(path).length - 10);
  const head = await TestHead.open(folder.path);
  expect(head.warnings).toEqual([expect.stringMatching(/the block block-\d+-1 is damaged/)]);
  expect(await counts(head)).toEqual({ 1: 8, 2: 8, 3: 8, 9: 1 });
  await head.close();
});

test('a damaged series in a block is left out, and the others of the block are answered', async () => {
  await filled('closed');
  damage(file('block-'), 4);
  const head = await TestHead.open(folder.path);
  expect(await counts(head)).toEqual({ ...WHOLE, 1: 8 });
  await head.close();
});

test('a file of a newer version is refused by its name', async () => {
  await filled('closed');
  const path = file('snapshot-');
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(99, 8);
  const { crc32 } = await import('node:zlib');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  writeFileSync(path, bytes);
  await expect(TestHead.open(folder.path)).rejects.toThrow(/snapshot-\d+ was written by a newer version/);
});

test('an intact store is answered whole', async () => {
  await filled('closed');
  const head = await TestHead.open(folder.path);
  expect(head.warnings).toEqual([]);
  expect(await counts(head)).toEqual(WHOLE);
  await head.close();
});
