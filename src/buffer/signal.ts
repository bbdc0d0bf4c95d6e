/** Wakes all who wait, once per firing. Take `current` before looking at what you wait for, or a firing in between is missed. */
export class Signal {
  #promise!: Promise<void>;
  #resolve!: () => void;

  constructor() {
    this.#renew();
  }

  get current(): Promise<void> {
    return this.#promise;
  }

  fire(): void {
    const resolve = this.#resolve;
    this.#renew();
    resolve();
  }

  #renew(): void {
    this.#promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** Waits for a promise, but not beyond an abort. */
export function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    promise.then(done, reject);
  });
}
