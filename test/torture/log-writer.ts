import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { KubeletWriter } from './kubelet-writer.ts';
import { sleep } from './http-get.ts';
import type { Prng } from './prng.ts';

export type Rotation =
  | 'rename'
  | 'delayed_create'
  | 'keep_handle'
  | 'beside'
  | 'copytruncate'
  | 'gzip'
  | 'delete_after_read'
  | 'kubelet'
  | 'restart'
  | 'recreate_after_read';

export interface WriterPlan {
  readonly name: string;
  readonly rotations: readonly Rotation[];
  /** The file is a container's, as kubelet keeps it; which of the places that lead to it is read. */
  readonly kubelet?: 'pods' | 'containers' | 'docker';
  readonly rotateEachMs: number;
  /** `.1`, `.2` moved up at each rotation, or a date that stays. */
  readonly naming: 'index' | 'date';
  readonly delayCompress: boolean;
  readonly multiline: boolean;
  /** The same first line in every new file. */
  readonly header: boolean;
  readonly padMax: number;
  readonly burstMax: number;
  readonly pauseMaxMs: number;
  readonly linesMax: number;
  readonly rotationsMax: number;
}

/** What a writer needs to know of the reader: not to take away what nobody had the time to read. */
export interface Reader {
  /** Something of the file has been read and is durable. */
  established(source: string): boolean;
  /** All that was written is read, and that is durable. */
  caughtUp(source: string, lines: number): boolean;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789 ';
const CAUGHT_UP_MS = 1500;
export const HEADER = '# time message of the service, one line each';

/** Appends numbered events to a file and rotates it in one way or another. Keeps what it wrote. */
export class LogWriter {
  readonly plan: WriterPlan;
  /** Body of each event by its number; without headers. */
  readonly events = new Map<number, string>();
  /** Lines, headers included. */
  lines = 0;
  headers = 0;
  rotated: Rotation[] = [];
  readonly #folder: string;
  readonly #kubelet: KubeletWriter | undefined;
  readonly #reader: Reader;
  readonly #random: Prng;
  #fd: number;
  /** Closed once the writer of it lets go. */
  readonly #pending: Promise<void>[] = [];
  #oldHandles = 0;
  #stopped = false;
  /** Events when the file was begun: one with nothing but a header is like all others, and never rotated. */
  #eventsAtStart = 0;
  #date = 20_260_101_000_000;

  constructor(folder: string, plan: WriterPlan, reader: Reader, random: Prng) {
    fs.mkdirSync(folder, { recursive: true });
    this.plan = plan;
    this.#folder = folder;
    this.#reader = reader;
    this.#random = random;
    this.#kubelet = plan.kubelet === undefined ? undefined : containerIn(folder, plan);
    this.#fd = this.#create();
  }

  get #live(): string {
    if (this.#kubelet !== undefined) return this.#kubelet.live;
    return path.join(this.#folder, 'app.log');
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Until stopped. What was begun is ended: no line stays unfinished, no rotation half done. */
  async run(): Promise<void> {
    const { plan } = this;
    let sinceRotation = 0;
    while (!this.#stopped) {
      if (this.events.size < plan.linesMax) await this.#burst(this.#fd);
      const pause = this.#random.between(0, plan.pauseMaxMs);
      sinceRotation += pause + 1;
      await sleep(pause);
      const due = sinceRotation > plan.rotateEachMs * (0.5 + this.#random.fraction());
      const bare = this.events.size === this.#eventsAtStart;
      if (bare || !due || this.rotated.length >= plan.rotationsMax || !this.#reader.established(plan.name))
        continue;
      sinceRotation = 0;
      await this.#rotate(this.#random.pick(plan.rotations));
    }
    await Promise.all(this.#pending);
    fs.closeSync(this.#fd);
  }

  async #burst(fd: number): Promise<void> {
    const count = this.#random.magnitude(1, this.plan.burstMax);
    let text = '';
    for (let i = 0; i < count; i++) text += this.#event();
    const bytes = Buffer.from(text);
    // A multiline event stays whole: how long its parts may be apart is a question of its own.
    if (this.plan.multiline || !this.#random.chance(0.15)) {
      writeAll(fd, bytes);
      return;
    }
    // In two parts, most often in the middle of a line.
    const at = this.#random.between(1, bytes.length - 1);
    writeAll(fd, bytes.subarray(0, at));
    await sleep(this.#random.between(1, 30));
    writeAll(fd, bytes.subarray(at));
  }

  #event(): string {
    const number = this.events.size;
    const { multiline, padMax, name } = this.plan;
    const more = multiline ? this.#random.between(0, 3) : 0;
    let body = `${name} ${number} ${this.#pad(padMax)}`;
    for (let i = 0; i < more; i++) body += `\n  at ${number}.${i}`;
    this.events.set(number, body);
    this.lines += 1 + more;
    return `${body}\n`;
  }

  #pad(most: number): string {
    const at = this.#random.between(0, LETTERS.length - 1);
    return LETTERS.slice(at)
      .repeat(1 + Math.ceil(most / 10))
      .slice(0, this.#random.between(1, most));
  }

  #create(): number {
    const fd = this.#kubelet?.handle ?? fs.openSync(this.#live, 'a');
    this.#eventsAtStart = this.events.size;
    if (this.plan.header) {
      writeAll(fd, Buffer.from(`${HEADER}\n`));
      this.lines++;
      this.headers++;
    }
    return fd;
  }

  async #rotate(kind: Rotation): Promise<void> {
    this.rotated.push(kind);
    switch (kind) {
      case 'rename': {
        this.#moveAway();
        this.#replace();
        return;
      }
      case 'delayed_create': {
        this.#moveAway();
        await sleep(this.#random.between(1, 150));
        this.#replace();
        return;
      }
      case 'keep_handle': {
        this.#moveAway();
        for (let i = this.#random.between(1, 5); i > 0; i--) {
          await this.#burst(this.#fd);
          await sleep(this.#random.between(0, 40));
        }
        this.#replace();
        return;
      }
      case 'beside': {
        this.#moveAway();
        const old = this.#fd;
        this.#fd = this.#create();
        this.#pending.push(this.#writeOn(old));
        return;
      }
      case 'copytruncate': {
        const to = this.#room();
        fs.copyFileSync(this.#live, to);
        if (this.#random.chance(0.3)) await sleep(this.#random.between(1, 20));
        fs.ftruncateSync(this.#fd, 0);
        this.#eventsAtStart = this.events.size;
        if (this.plan.header) {
          writeAll(this.#fd, Buffer.from(`${HEADER}\n`));
          this.lines++;
          this.headers++;
        }
        return;
      }
      case 'gzip': {
        const moved = this.#moveAway();
        this.#replace();
        if (!this.plan.delayCompress) await this.#compress(moved);
        return;
      }
      case 'kubelet': {
        const container = this.#kubelet!;
        if (this.#random.chance(0.7)) container.compress();
        container.moveAway();
        if (this.#random.chance(0.5)) await this.#burst(this.#fd);
        if (this.#random.chance(0.5)) await sleep(this.#random.between(1, 60));
        container.reopen();
        this.#fd = this.#create();
        return;
      }
      case 'restart': {
        this.#kubelet!.restart();
        this.#fd = this.#create();
        return;
      }
      case 'delete_after_read': {
        const moved = this.#moveAway();
        this.#replace();
        if (await this.#caughtUp()) fs.rmSync(moved);
        return;
      }
      case 'recreate_after_read': {
        if (!(await this.#caughtUp())) return;
        fs.rmSync(this.#live);
        this.#replace();
        return;
      }
    }
  }

  #replace(): void {
    fs.closeSync(this.#fd);
    this.#fd = this.#create();
  }

  /** Another process that has not heard of the rotation. */
  async #writeOn(fd: number): Promise<void> {
    this.#oldHandles++;
    for (let i = this.#random.between(1, 6); i > 0; i--) {
      await sleep(this.#random.between(0, 60));
      if (this.events.size < this.plan.linesMax) await this.#burst(fd);
    }
    fs.closeSync(fd);
    this.#oldHandles--;
  }

  #moveAway(): string {
    const to = this.#room();
    fs.renameSync(this.#live, to);
    return to;
  }

  /** A free name for what is rotated away; with numbers, by moving up those that are there. */
  #room(): string {
    if (this.plan.naming === 'date') return `${this.#live}-${(this.#date += 100)}`;
    const there = fs
      .readdirSync(this.#folder)
      .map((name) => /^app\.log\.(\d+)(\.gz)?$/.exec(name))
      .filter((match) => match !== null)
      .sort((a, b) => Number(b[1]) - Number(a[1]));
    for (const [name, number, packed = ''] of there) {
      const to = path.join(this.#folder, `app.log.${Number(number) + 1}${packed}`);
      fs.renameSync(path.join(this.#folder, name), to);
      const compress = this.plan.delayCompress && this.plan.rotations.includes('gzip');
      if (compress && Number(number) === 1 && packed === '' && this.#oldHandles === 0) this.#compressNow(to);
    }
    return `${this.#live}.1`;
  }

  /** As gzip does it: beside, growing, with the time of the original, which goes last. */
  async #compress(file: string): Promise<void> {
    const bytes = gzipSync(fs.readFileSync(file));
    const at = this.#random.between(0, bytes.length);
    fs.writeFileSync(`${file}.gz`, bytes.subarray(0, at));
    if (this.#random.chance(0.5)) await sleep(this.#random.between(1, 40));
    fs.appendFileSync(`${file}.gz`, bytes.subarray(at));
    this.#finishCompressed(file);
  }

  #compressNow(file: string): void {
    fs.writeFileSync(`${file}.gz`, gzipSync(fs.readFileSync(file)));
    this.#finishCompressed(file);
  }

  #finishCompressed(file: string): void {
    const { atimeMs, mtimeMs } = fs.statSync(file);
    fs.utimesSync(`${file}.gz`, atimeMs / 1000, mtimeMs / 1000);
    fs.rmSync(file);
  }

  async #caughtUp(): Promise<boolean> {
    const deadline = performance.now() + CAUGHT_UP_MS;
    while (performance.now() < deadline) {
      if (this.#oldHandles === 0 && this.#reader.caughtUp(this.plan.name, this.lines)) return true;
      await sleep(20);
    }
    return false;
  }
}

function containerIn(folder: string, { name, kubelet }: WriterPlan): KubeletWriter {
  return new KubeletWriter({
    pods: path.join(folder, 'pods'),
    containers: path.join(folder, 'containers'),
    ...(kubelet === 'docker' ? { docker: path.join(folder, 'docker') } : {}),
    namespace: 'torture',
    pod: name,
    uid: '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d',
    container: 'app',
    id: '0123456789abcdef'.repeat(4),
  });
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) at += fs.writeSync(fd, bytes, at);
}
