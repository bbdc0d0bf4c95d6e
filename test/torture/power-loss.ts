import fs from 'node:fs';
import path from 'node:path';
import type { FileStep } from '../../src/platform/durable-files.ts';
import type { Prng } from './prng.ts';

interface Step {
  readonly op: FileStep;
  readonly path: string;
  readonly size: number;
  readonly to?: string;
  /** Another name of what the step took the name from, or what a cut took away. */
  readonly kept?: string;
}

/** What decides where a disk may hold one thing or another. */
export type Chance = Pick<Prng, 'between' | 'chance' | 'pick' | 'weighted'>;

/**
 * What a disk may hold after the power went, worked out from the journal of steps: names whose directory was not
 * synced may be as they were before, what was cut off a file since its last sync may be there again, and what was written
 * since then may be missing, cut, zero or noise. Says what it did.
 */
export function losePower(journal: string, random: Chance): string[] {
  const done: string[] = [];
  if (!fs.existsSync(journal)) return done;
  const synced = new Map<string, number>();
  const pending = new Map<string, Step[]>();
  const cuts = new Map<string, Step[]>();
  for (const step of readSteps(journal)) {
    replay(step, synced, pending);
    noteCut(step, cuts);
  }
  for (const [file, steps] of cuts) {
    if (!fs.existsSync(file) || random.chance(0.5)) continue;
    done.push(restore(file, random.pick(steps), random.chance(0.5)));
    // Durable before it was cut: it is there as it was.
    synced.delete(file);
  }
  for (const steps of pending.values()) {
    const survive = random.between(0, steps.length);
    for (const step of steps.slice(survive).reverse()) {
      // The folder itself may be gone.
      if (fs.existsSync(path.dirname(step.path))) done.push(undo(step, synced));
    }
  }
  for (const [file, size] of synced) {
    if (fs.existsSync(file) && fs.statSync(file).size > size) done.push(tear(file, size, random));
  }
  for (const name of fs.readdirSync(path.dirname(journal))) {
    if (name.startsWith(path.basename(journal))) fs.rmSync(path.join(path.dirname(journal), name));
  }
  return done;
}

function readSteps(journal: string): Step[] {
  const lines = fs.readFileSync(journal, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Step);
}

function replay(step: Step, synced: Map<string, number>, pending: Map<string, Step[]>): void {
  const later = (): void => {
    const folder = path.dirname(step.path);
    pending.set(folder, [...(pending.get(folder) ?? []), step]);
  };
  switch (step.op) {
    case 'create':
      synced.set(step.path, 0);
      return later();
    case 'open':
      // Not known from this journal: it is from before the last power loss, and what that left is on disk.
      if (!synced.has(step.path)) synced.set(step.path, step.size);
      return;
    case 'write':
      return;
    case 'sync':
      synced.set(step.path, step.size);
      return;
    case 'truncate':
      synced.set(step.path, Math.min(step.size, synced.get(step.path) ?? step.size));
      return;
    case 'rename':
      move(synced, step.path, step.to!);
      return later();
    case 'unlink':
      synced.delete(step.path);
      return later();
    case 'mkdir':
    case 'link':
      return later();
    case 'dirsync':
      pending.delete(step.path);
      return;
  }
}

/** Which cuts no sync covers yet. */
function noteCut(step: Step, cuts: Map<string, Step[]>): void {
  if (step.op === 'truncate' && step.kept !== undefined) {
    cuts.set(step.path, [...(cuts.get(step.path) ?? []), step]);
  } else if (['sync', 'unlink', 'rename', 'create'].includes(step.op)) cuts.delete(step.path);
}

/** The cut did not reach the disk; what was written in its place since then may have. */
function restore(file: string, { size, kept }: Step, overNewer: boolean): string {
  const tail = fs.readFileSync(kept!);
  const now = fs.statSync(file).size;
  const from = overNewer ? size : Math.max(size, now);
  const rest = tail.subarray(from - size);
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, rest, 0, rest.length, from);
  fs.closeSync(fd);
  return `uncut: ${path.basename(file)}, of ${size + tail.length} bytes cut to ${size}`;
}

function move(synced: Map<string, number>, from: string, to: string): void {
  const size = synced.get(from);
  synced.delete(from);
  synced.delete(to);
  if (size !== undefined) synced.set(to, size);
}

function undo(step: Step, synced: Map<string, number>): string {
  switch (step.op) {
    case 'create':
      fs.rmSync(step.path, { force: true });
      synced.delete(step.path);
      break;
    case 'rename':
      if (fs.existsSync(step.to!)) fs.renameSync(step.to!, step.path);
      move(synced, step.to!, step.path);
      if (step.kept !== undefined) fs.copyFileSync(step.kept, step.to!);
      break;
    case 'mkdir':
      fs.rmSync(step.path, { recursive: true, force: true });
      break;
    case 'link':
      fs.rmSync(step.to!, { force: true });
      break;
    case 'unlink':
      if (step.kept !== undefined && !fs.existsSync(step.path)) fs.copyFileSync(step.kept, step.path);
      break;
    case 'open':
    case 'write':
    case 'sync':
    case 'truncate':
    case 'dirsync':
      break;
  }
  return `undone: ${step.op} ${path.basename(step.path)}`;
}

function tear(file: string, synced: number, random: Chance): string {
  const { size } = fs.statSync(file);
  const at = random.between(synced, size);
  const how = random.weighted({ drop: 3, cut: 3, zero: 2, noise: 1 });
  if (how === 'drop') fs.truncateSync(file, synced);
  else if (how === 'cut') fs.truncateSync(file, at);
  else {
    const rest = Buffer.alloc(size - at, how === 'zero' ? 0 : 0xa7);
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, rest, 0, rest.length, at);
    fs.closeSync(fd);
  }
  return `${how}: ${path.basename(file)}, of ${size} bytes ${synced} were synced`;
}
