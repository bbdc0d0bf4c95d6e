import { inspect } from 'node:util';

const SHOWN = '<secret>';

/** A value that must never be printed: every way to turn it into text gives `<secret>`; only `reveal` gives the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  static from(value: string | Secret): Secret {
    return value instanceof Secret ? value : new Secret(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/**
 * Takes the secrets out of a text that came from elsewhere (a server's answer, a program's output, a library's
 * error). Secrets of fewer than 4 characters are left: replacing them would garble the text and hide nothing.
 */
export function redact(text: string, secrets: readonly Secret[]): string {
  let clean = text;
  for (const value of secrets.map((secret) => secret.reveal()).sort((a, b) => b.length - a.length)) {
    if (value.length >= 4) clean = clean.replaceAll(value, SHOWN);
  }
  return clean;
}
