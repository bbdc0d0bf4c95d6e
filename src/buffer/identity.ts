import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { StartRefused } from '../model/start-refused.ts';
import { openSealed, sealObject } from '../platform/checked-line.ts';
import { writeFileAtomically } from '../platform/durable-files.ts';
import type { Log } from '../platform/log.ts';
import { Secret } from '../platform/secret.ts';

/** Who this agent is to a collector. Batches are known as `agent/epoch/number`. */
export interface Identity {
  /** Stays with the state directory. */
  readonly agent: string;
  /** New whenever batch numbers begin again at 1. */
  readonly epoch: string;
  /** Starts with this identity so far; of two agents with one identity, both count up from the same. */
  readonly generation: number;
  /** Random for each start. */
  readonly instance: string;
  /** Shown to collectors, which know its digest: 64 hexadecimal digits. */
  readonly secret: Secret;
}

const FILE = 'identity.json';

const stored = z.object({
  format: z.literal(1),
  agent: z.string().min(1),
  epoch: z.string().min(1),
  generation: z.number().int().nonnegative(),
  machineId: z.string(),
  inode: z.string(),
  /** Missing in identities of before it: those get one. */
  secret: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
type Stored = z.infer<typeof stored>;

export interface IdentityOptions {
  readonly dir: string;
  readonly log: Log;
  /** For tests: where the machine's id is read. */
  readonly machineIdFile?: string;
}

/**
 * Reads the identity of a state directory, or makes it; call with the lock held and before the buffer is opened.
 *
 * A directory that was copied (another machine id, or another inode) gets a new agent id, so that two machines do
 * not pass as one. The device number is not looked at: it may change with a reboot. A copy that this cannot tell (a
 * clone of a whole machine that keeps its machine id) is noticed by the collector, by instance and generation.
 */
export async function openIdentity({ dir, log, machineIdFile }: IdentityOptions): Promise<Identity> {
  const here = {
    machineId: await machineId(machineIdFile),
    inode: String((await fs.stat(dir, { bigint: true })).ino),
  };
  const before = await read(path.join(dir, FILE));
  const now = await next(dir, before, here, log);
  const text = sealObject(JSON.stringify(now));
  await writeFileAtomically(path.join(dir, FILE), [Buffer.from(text)], 'buffer.identity');
  return {
    agent: now.agent,
    epoch: now.epoch,
    generation: now.generation,
    instance: randomBytes(8).toString('hex'),
    secret: new Secret(now.secret),
  };
}

/**
 * Writes the identity of a running agent again, whose file was removed behind our back. `identity` is what it has; the
 * folder may be another one by now.
 */
export async function rewriteIdentity(
  identity: Identity,
  { dir, machineIdFile }: Omit<IdentityOptions, 'log'>,
): Promise<void> {
  const { agent, epoch, generation, secret } = identity;
  const inode = String((await fs.stat(dir, { bigint: true })).ino);
  const now: Stored = {
    format: 1,
    agent,
    epoch,
    generation,
    machineId: await machineId(machineIdFile),
    inode,
    secret: secret.reveal(),
  };
  const text = sealObject(JSON.stringify(now));
  await writeFileAtomically(path.join(dir, FILE), [Buffer.from(text)], 'buffer.identity');
}

async function next(
  dir: string,
  before: Stored | undefined,
  here: { readonly machineId: string; readonly inode: string },
  log: Log,
): Promise<Stored & { readonly secret: string }> {
  const secret = randomBytes(32).toString('hex');
  const fresh = {
    format: 1 as const,
    agent: randomUUID(),
    epoch: newEpoch(),
    generation: 1,
    ...here,
    secret,
  };
  if (before === undefined) return fresh;
  const otherMachine =
    before.machineId !== '' && here.machineId !== '' && before.machineId !== here.machineId;
  if (otherMachine || before.inode !== here.inode) {
    const why = otherMachine ? 'it was made on another machine' : 'it is not the directory it was made in';
    log.warn(
      { dir, was: before.agent, is: fresh.agent },
      `state_dir was copied (${why}); this agent gets an id of its own`,
    );
    return fresh;
  }
  const epoch = (await bufferIsEmpty(dir)) && before.generation > 0 ? newEpoch() : before.epoch;
  return { ...before, ...here, epoch, generation: before.generation + 1, secret: before.secret ?? secret };
}

function newEpoch(): string {
  return randomBytes(4).toString('hex');
}

async function read(file: string): Promise<Stored | undefined> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return stored.parse(openSealed(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? '' : ` (${(cause as Error).message})`;
    throw new StartRefused(
      `${file}: not an identity of this taffrail, or its content has changed${why}; with another identity a collector ` +
        'would take what is sent again for new. Restore it from a copy, or remove it together with the rest of ' +
        'state_dir to start anew (files are then read as start_at says)',
      { cause },
    );
  }
}

/** Batch numbers begin at 1 where there is neither an entry nor a snapshot nor a cursor. */
async function bufferIsEmpty(dir: string): Promise<boolean> {
  const names = await fs.readdir(path.join(dir, 'buffer')).catch(() => []);
  return !names.some((name) => /\.(segment|snapshot|cursor)$/.test(name));
}

async function machineId(file = '/etc/machine-id'): Promise<string> {
  return (await fs.readFile(file, 'utf8').catch(() => '')).trim();
}
