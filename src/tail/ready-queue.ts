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

  /** The first stream whose turn it is. One that must wait for another is set aside until that lets it go. */
  next(): Stream | undefined {
    while (this.#streams.length > 0) {
      const stream = this.#streams.shift()!;
      if (stream.state === 'following' && !stream.busy && mustWait(stream)) {
        stream.after!.onRelease(() => this.#addAgain(stream));
        continue;
      }
      stream.queued = false;
      if (stream.state === 'following' && !stream.busy) return stream;
    }
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#streams.length === 0;
  }

  #addAgain(stream: Stream): void {
    this.#streams.push(stream);
    this.wake();
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
  if (!after.blocking) stream.after = undefined;
  return after.blocking;
}
