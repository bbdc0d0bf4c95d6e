import fs from 'node:fs/promises';
import path from 'node:path';
import { isDiskTrouble, unlinkFile, writeFileAtomically } from '../platform/durable-files.ts';

const NAME = 'reserve';

/**
 * Space kept for a full disk: a segment can only go after cursors and a snapshot were written, which needs some
 * room itself. Without it a disk filled by others would never drain.
 */
export class DiskReserve {
  readonly #file: string;
  readonly #bytes: number;
  #held = false;

  constructor(directory: string, bytes: number) {
    this.#file = path.join(directory, NAME);
    this.#bytes = bytes;
  }

  /** Takes the space if it can be had. */
  async hold(): Promise<void> {
    if (this.#held || this.#bytes === 0) return;
    const there = await fs.stat(this.#file).catch(() => undefined);
    if (there?.size !== this.#bytes) {
      try {
        // Random-free, but not a hole: zeros written are blocks taken.
        await writeFileAtomically(this.#file, [Buffer.alloc(this.#bytes)], 'buffer.reserve');
      } catch (error) {
        if (isDiskTrouble(error)) return;
        throw error;
      }
    }
    this.#held = true;
  }

  /** Its file was removed behind our back. */
  async renew(): Promise<void> {
    this.#held = false;
    await this.hold();
  }

  /** Runs what must be written even now; where the disk is full, gives the space up and tries once more. */
  async during<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      await unlinkFile(this.#file, 'buffer.reserve');
      this.#held = false;
      return write();
    }
  }
}
