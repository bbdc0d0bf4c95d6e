import fs from 'node:fs';
import type { Secret } from '../platform/secret.ts';

/** A token from the configuration or from a file, which is read again when it changes, so that tokens can be rotated without a restart. */
export class BearerToken {
  readonly #fixed: Secret | undefined;
  readonly #file: string | undefined;
  #read: { readonly mark: string; readonly token: string } | undefined;

  constructor(options: { readonly token?: Secret | undefined; readonly file?: string | undefined }) {
    this.#fixed = options.token;
    this.#file = options.file;
  }

  /** The header to send; none where there is no token. Throws naming the file where it cannot be read. */
  headers(): Record<string, string> {
    const token = this.#file === undefined ? this.#fixed?.reveal() : this.#fromFile(this.#file);
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  #fromFile(file: string): string {
    const { mtimeMs, ino, size } = fs.statSync(file);
    const mark = `${mtimeMs}/${ino}/${size}`;
    if (this.#read?.mark !== mark) {
      const token = fs.readFileSync(file, 'utf8').trim();
      if (!/^[\x21-\x7e]+$/.test(token)) {
        throw new Error(`bearer_token_file ${file}: expected one token of printable characters`);
      }
      this.#read = { mark, token };
    }
    return this.#read.token;
  }
}
