import { basename, dirname, join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import picomatch from 'picomatch';
import type { Log } from '../platform/log.ts';

export interface ConfigWatchOptions {
  /** The configuration file. */
  readonly file: string;
  /** Folders of packs. */
  readonly packFolders: readonly string[];
  /** Globs of rule files. */
  readonly ruleGlobs: readonly string[];
  readonly onChange: () => void;
  readonly log: Log;
}

/** Editors write in several steps, and deployments in several files: a change counts when this long nothing followed. */
const QUIET_MS = 500;
/** Where changes never end, one is taken all the same. */
const LONGEST_MS = 3000;
const DEPTH_MAX = 4;

/**
 * Hot reload: notices a change of the configuration or of what it names. chokidar sees through editors that replace
 * the file instead of writing it, and through links that are switched, as configuration management does.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #watcher: FSWatcher;
  readonly #ready: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  /** The first change that was not told yet. */
  #changedAtMs: number | undefined;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    const ruleBases = options.ruleGlobs.map((glob) => picomatch.scan(glob).base);
    const concerns = this.#concerns();
    const roots = [...options.packFolders, ...ruleBases];
    const own = dirname(options.file);
    // Logs and the state folder may lie beside the configuration: what happens there must not cost anything.
    const isOurs = (folder: string): boolean =>
      folder === own || roots.some((root) => folder === root || folder.startsWith(`${root}/`));
    this.#watcher = watch([own, ...roots], {
      ignored: (path, stats) => stats !== undefined && (stats.isFile() ? !concerns(path) : !isOurs(path)),
      ignoreInitial: true,
      depth: DEPTH_MAX,
    });
    this.#ready = new Promise((resolve) => this.#watcher.once('ready', resolve));
    this.#watcher.on('all', (event, path) => {
      if (event !== 'addDir' && concerns(path)) this.#changed();
    });
    this.#watcher.on('error', (error) =>
      options.log.warn({ error: String(error) }, 'changes of the configuration are not noticed; send SIGHUP'),
    );
  }

  /** Resolves when everything is being watched. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }

  /** Only these files matter: others (logs, the state folder) may lie beside them. */
  #concerns(): (path: string) => boolean {
    const { file, packFolders, ruleGlobs } = this.#options;
    const own = join(dirname(file), basename(file));
    const isRule = ruleGlobs.map((glob) => picomatch(glob));
    return (path) =>
      path === own ||
      (basename(path) === 'pack.yaml' && packFolders.some((folder) => path.startsWith(`${folder}/`))) ||
      isRule.some((matches) => matches(path));
  }

  #changed(): void {
    const now = performance.now();
    this.#changedAtMs ??= now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#changedAtMs + LONGEST_MS - now));
    this.#timer = setTimeout(() => {
      this.#changedAtMs = undefined;
      this.#options.onChange();
    }, wait);
    this.#timer.unref();
  }
}
