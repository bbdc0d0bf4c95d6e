import type { Stream } from './stream.ts';

/** Streams that may have something to read, in turns: each is in it once and goes to the end after its chunk. */
export class ReadyQueue {
  #streams: Stream[] = [];
  #waiting: (() => void)[] = [];

  add(stream: Stream): void {
    if (stream.busy) stream.dirty = true;
    if (stream.busy || stream.queued || stream.state !== 'following') return;
    stream.queued = true;
    this.#streams.push(stream);
    this.wake();
  }

  /** The first stream whose turn it is. Those that wait for another keep their place behind. */
  next(): Stream | undefined {
    for (let tries = this.#streams.length; tries > 0; tries--) {
      const stream = this.#streams.shift()!;
      stream.queued = false;
      if (stream.state !== 'following' || stream.busy) continue;
      if (!mustWait(stream)) return stream;
      stream.queued = true;
      this.#streams.push(stream);
    }
    return undefined;
  }

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** A new file's content comes after the rest of the file that had its place before. */
function mustWait(stream: Stream): boolean {
  const { after } = stream;
  if (after === undefined) return false;
  const blocked = (after.state === 'following' && !after.atEnd) || after.state === 'replaced';
  if (!blocked) stream.after = undefined;
  return blocked;
}
