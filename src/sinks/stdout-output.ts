import type { Writable } from 'node:stream';
import { faultPoint } from '../platform/fault.ts';
import type { LineOutput } from './line-sink.ts';

/** Standard output. Taken means given to the pipe or terminal: there is nothing to sync. */
export class StdoutOutput implements LineOutput {
  readonly type = 'stdout';
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  write(text: string): Promise<void> {
    faultPoint('sink.stdout.write.before');
    return new Promise((resolve, reject) => {
      // A reader that went away (EPIPE) is told twice: to the callback and as an event, which must have a listener.
      const onError = (): void => {};
      this.#stream.once('error', onError);
      this.#stream.write(text, (error) => {
        this.#stream.removeListener('error', onError);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
