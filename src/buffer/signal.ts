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
export async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = new Signal();
  const abort = (): void => aborted.fire();
  const either = Promise.race([promise, aborted.current]);
  signal.addEventListener('abort', abort);
  try {
    await either;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
