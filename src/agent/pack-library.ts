import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A parser pack as it lies on disk. */
export interface PackFile {
  readonly name: string;
  readonly folder: string;
  /** `<folder>/pack.yaml` */
  readonly file: string;
  readonly text: string;
}

const BUILT_IN = fileURLToPath(new URL('../../parsers/', import.meta.url));

/** The packs of the product and of the user's folders; a user's pack hides a built-in one of its name. */
export class PackLibrary {
  readonly #folders: readonly string[];

  constructor(userFolders: readonly string[] = []) {
    this.#folders = [...userFolders, BUILT_IN];
  }

  names(): readonly string[] {
    const names = this.#folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
    return [...new Set(names)].filter((name) => this.#locate(name) !== undefined).sort();
  }

  /** Of the packs, those that lie in this folder. */
  namesIn(folder: string): readonly string[] {
    return this.names().filter((name) => this.#locate(name) === join(folder, name));
  }

  find(name: string): PackFile | undefined {
    const folder = this.#locate(name);
    if (folder === undefined) return undefined;
    const file = join(folder, 'pack.yaml');
    return { name, folder, file, text: readFileSync(file, 'utf8') };
  }

  #locate(name: string): string | undefined {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined;
    return this.#folders
      .map((folder) => join(folder, name))
      .find((folder) => existsSync(join(folder, 'pack.yaml')));
  }
}
