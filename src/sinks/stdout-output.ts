import type { Writable } from 'node:stream';
import { faultPoint } from '../platform/fault.ts';
import type { LineOutput } from './line-sink.ts';

/** Standard output. Taken means given to the pipe or terminal: there is nothing to sync. */
export class StdoutOutput implements LineOutput {
  readonly type = 'stdout';
  readonly #stream: Writable;
  #broken: Error | undefined;
  /** A reader that went away (EPIPE) is told as an event too, after the callback; without a listener that ends the process. */
  readonly #onError = (error: Error): void => {
    this.#broken = error;
  };

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError);
  }

  async write(text: string): Promise<void> {
    faultPoint('sink.stdout.write.before');
    if (this.#stream.destroyed && this.#broken !== undefined) throw this.#broken;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    faultPoint('sink.stdout.write.after');
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.#stream.removeListener('error', this.#onError);
  }
}
