import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { renameDurably, unlinkFile } from '../../platform/durable-files.ts';
import type { SampleHead } from '../../samples/sample-head.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { SnapshotReader, SnapshotWriter } from '../../samples/snapshot-codec.ts';
import { FramedFile, readFrames } from './framed-file.ts';
import { numbersOf } from './head-log.ts';

const AREA = 'samples.snapshot';
const MAGIC = 'TAFFSNAP';
/** Series in one section: a few milliseconds. */
const SLICE_SERIES = 2000;

/**
 * Writes `snapshot-<number>`: the head as it is, so that only the log from that number on need be read. Gives way between
 * sections; what comes meanwhile is in the log, and to read it twice does no harm.
 */
export async function writeSnapshot(
  folder: string,
  number: number,
  head: SampleHead,
  giveWay: () => Promise<void>,
): Promise<void> {
  const path = join(folder, `snapshot-${number}`);
  const beside = `${path}.tmp`;
  await unlinkFile(beside, AREA);
  const file = await FramedFile.create(beside, MAGIC, AREA);
  try {
    const writer = new SnapshotWriter(head);
    await file.append(writer.metadata());
    for (let slice = writer.slice(SLICE_SERIES); slice !== undefined; slice = writer.slice(SLICE_SERIES)) {
      await file.append(slice);
      await giveWay();
    }
    await file.append(writer.end());
    await file.sync();
  } catch (error) {
    await file.close();
    rmSync(beside, { force: true });
    throw error;
  }
  await file.close();
  await renameDurably(beside, path, AREA);
}

/** Removes snapshots that are older than a number. */
export async function removeSnapshotsBefore(folder: string, number: number): Promise<void> {
  for (const one of numbersOf(folder, 'snapshot'))
    if (one < number) await unlinkFile(join(folder, `snapshot-${one}`), AREA);
}

export interface LoadedSnapshot {
  readonly head: SampleHead;
  /** The log goes on from here. */
  readonly number: number;
  /** Snapshots that could not be read. */
  readonly damaged: readonly string[];
}

/** The newest snapshot that is whole, or an empty head. */
export function loadSnapshot(folder: string, make: () => SampleHead): LoadedSnapshot {
  const damaged: string[] = [];
  for (const number of numbersOf(folder, 'snapshot').reverse()) {
    const path = join(folder, `snapshot-${number}`);
    const head = make();
    if (readInto(head, path)) return { head, number, damaged };
    damaged.push(path);
  }
  return { head: make(), number: 0, damaged };
}

function readInto(head: SampleHead, path: string): boolean {
  const { frames, damaged } = readFrames(path, MAGIC);
  if (damaged > 0) return false;
  const reader = new SnapshotReader(head);
  try {
    for (const frame of frames) reader.section(frame);
  } catch (error) {
    if (error instanceof DamagedBytes) return false;
    throw error;
  }
  return reader.done;
}
