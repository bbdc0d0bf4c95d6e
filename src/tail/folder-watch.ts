import { dirname, join } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import type { Log } from '../platform/log.ts';
import { errorCode } from '../platform/files.ts';

export interface FolderWatchEvents {
  /** Bytes were appended to the file, or its attributes changed. */
  changed(path: string): void;
  /** A name came, went or changed hands. */
  renamed(path: string): void;
  /** The kernel gives no (more) watches. */
  failed(): void;
}

/**
 * Hints from the kernel: folders are watched, files are not. A hint says only "look there"; that one may be missing
 * is expected, because queues overflow and network file systems are silent.
 */
export class FolderWatch {
  readonly #events: FolderWatchEvents;
  readonly #log: Log;
  #watcher: FSWatcher | undefined;
  #failed = false;
  #ready: Promise<void> = Promise.resolve();
  readonly #folders = new Set<string>();

  constructor(events: FolderWatchEvents, log: Log) {
    this.#events = events;
    this.#log = log;
  }

  get working(): boolean {
    return this.#watcher !== undefined && !this.#failed;
  }

  /** From here on folders that are added are watched. */
  start(): void {
    const watcher = watch([], {
      persistent: true,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      followSymlinks: true,
      atomic: false,
      depth: 0,
      // Folders are added one by one as looks find them: what is in them is not chokidar's to look for.
      ignored: (path) => !this.#folders.has(path),
    });
    this.#watcher = watcher;
    watcher.on('raw', (event, name, details) => this.#raw(event, name, details));
    watcher.on('unlinkDir', (path) => this.#events.renamed(path));
    watcher.on('error', (error) => this.#error(error));
    this.#ready = new Promise((resolve) => {
      watcher.once('ready', resolve);
    });
  }

  /** Resolves once the folders added right after the start are being watched. */
  async ready(): Promise<void> {
    if (this.working && this.#folders.size > 0) await this.#ready;
  }

  /** `anew`: another folder has the path now than when it was added before. */
  add(folder: string, anew: boolean): void {
    if (anew && this.#folders.has(folder)) this.#watcher?.unwatch(folder);
    this.#folders.add(folder);
    this.#watcher?.add(folder);
  }

  async close(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#folders.clear();
    await watcher?.close();
  }

  #raw(event: string, name: string | null, details: unknown): void {
    const folder = watchedPath(details);
    if (folder === undefined) return;
    const path = name === null ? folder : join(folder, name);
    if (event === 'change') this.#events.changed(path);
    else this.#events.renamed(name === null ? join(dirname(path), '.') : path);
  }

  #error(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#log.warn(
      { code: errorCode(error) },
      'no more file watches: files are found by looking regularly instead',
    );
    this.#events.failed();
  }
}

function watchedPath(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  return typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
}
