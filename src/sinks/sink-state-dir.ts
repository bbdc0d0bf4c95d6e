import fs from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../platform/log.ts';

const FOLDER = 'sinks';

/** Where a sink keeps what it must know over a restart. */
export function sinkStateDir(stateDir: string, sink: string): string {
  return path.join(stateDir, FOLDER, sink);
}

/** Removes what sinks that are gone from the configuration kept. What they had set aside goes with them. */
export async function dropSinkStates(stateDir: string, keep: ReadonlySet<string>, log: Log): Promise<void> {
  const folder = path.join(stateDir, FOLDER);
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (keep.has(name)) continue;
    log.warn({ sink: name }, 'the sink is gone from the configuration; what it had set aside is removed');
    await fs.rm(path.join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
      log.warn({ sink: name, error: String(error) }, 'the state of a removed sink stays on disk');
    });
  }
}
