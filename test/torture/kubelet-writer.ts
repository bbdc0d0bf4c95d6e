import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface KubeletWriterOptions {
  /** The folders that stand for /var/log/pods and /var/log/containers. */
  readonly pods: string;
  readonly containers: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** 64 hexadecimal digits; at each restart the last ones change. */
  readonly id: string;
  /** The folder that stands for /var/lib/docker/containers: the pod's file is then a link to a file there. */
  readonly docker?: string;
  /** Rotated files that are kept; the oldest goes first. */
  readonly kept?: number;
}

/**
 * The log of one container as kubelet and the runtime keep it: `<restarts>.log` in the pod's folder, a link to it in the
 * folder of all containers. Kubelet rotates by rename, to a name with the time, after it has compressed what it rotated
 * before (beside, then by rename); the runtime then opens a new file.
 */
export class KubeletWriter {
  readonly #options: KubeletWriterOptions;
  readonly folder: string;
  restarts = 0;
  #fd: number;
  /** Seconds since the first rotation: two never have the same name. */
  #stamp = 0;

  constructor(options: KubeletWriterOptions) {
    this.#options = options;
    const { pods, namespace, pod, uid, container } = options;
    this.folder = join(pods, `${namespace}_${pod}_${uid}`, container);
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    fs.mkdirSync(options.containers, { recursive: true, mode: 0o755 });
    this.#fd = this.#begin();
  }

  /** The file of the container that runs, where it really is. */
  get live(): string {
    const { docker } = this.#options;
    return docker === undefined ? this.#podFile : join(docker, this.#id, `${this.#id}-json.log`);
  }

  get link(): string {
    const { containers, namespace, pod, container } = this.#options;
    return join(containers, `${pod}_${namespace}_${container}-${this.#id}.log`);
  }

  get #podFile(): string {
    return join(this.folder, `${this.restarts}.log`);
  }

  get #id(): string {
    return this.#options.id;
  }

  get handle(): number {
    return this.#fd;
  }

  write(text: string): void {
    fs.writeSync(this.#fd, text);
  }

  /** Of those that were rotated before. */
  compress(): void {
    for (const name of this.#rotated().filter((one) => !one.endsWith('.gz'))) {
      const file = join(dirname(this.live), name);
      fs.writeFileSync(`${file}.tmp`, gzipSync(fs.readFileSync(file)));
      fs.renameSync(`${file}.tmp`, `${file}.gz`);
      fs.rmSync(file);
    }
  }

  /** The rename: until `reopen` there is no live file, and the container writes to the old one. */
  moveAway(): void {
    const { kept } = this.#options;
    if (kept !== undefined)
      for (const name of this.#rotated().slice(0, -kept)) fs.rmSync(join(dirname(this.live), name));
    const seconds = String(this.#stamp++);
    fs.renameSync(this.live, `${this.live}.20261130-${seconds.padStart(6, '0')}`);
  }

  reopen(): void {
    fs.closeSync(this.#fd);
    this.#fd = fs.openSync(this.live, 'a');
  }

  rotate(): void {
    this.moveAway();
    this.reopen();
  }

  /** The container is started again: a new file, and the link leads there. */
  restart(): void {
    fs.closeSync(this.#fd);
    this.restarts++;
    this.#fd = this.#begin();
  }

  /** Kubelet removes what is left of containers before this one. */
  removeOld(): void {
    for (const name of fs.readdirSync(this.folder))
      if (Number(name.split('.')[0]) < this.restarts) fs.rmSync(join(this.folder, name));
  }

  /** The pod is deleted. */
  remove(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.link, { force: true });
    fs.rmSync(dirname(this.folder), { recursive: true, force: true });
    const { docker } = this.#options;
    if (docker !== undefined) fs.rmSync(join(docker, this.#id), { recursive: true, force: true });
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #begin(): number {
    fs.mkdirSync(dirname(this.live), { recursive: true, mode: 0o755 });
    if (this.live !== this.#podFile) fs.symlinkSync(this.live, this.#podFile);
    fs.symlinkSync(this.#podFile, `${this.link}.new`);
    fs.renameSync(`${this.link}.new`, this.link);
    return fs.openSync(this.live, 'a');
  }

  #rotated(): readonly string[] {
    const live = basename(this.live);
    return fs
      .readdirSync(dirname(this.live))
      .filter((name) => name.startsWith(`${live}.`) && !name.endsWith('.tmp'))
      .sort();
  }
}
