import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { KubeletWriter } from '../torture/kubelet-writer.ts';

const run = promisify(execFile);

/** A service with one log file: writes numbered lines of one width, and keeps its handle until it is told. */
export class MatrixWriter {
  readonly name: string;
  readonly folder: string;
  written = 0;
  /** Lines in the live file. */
  inFile = 0;
  rotations = 0;
  #fd: number;

  /** What the source is told to read. */
  readonly paths: readonly string[];
  readonly container: KubeletWriter | undefined;

  constructor(root: string, { name, kubelet }: Pick<MatrixCase, 'name' | 'kubelet'>) {
    this.name = name;
    this.folder = join(root, name);
    mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    chmodSync(this.folder, 0o755);
    this.container = kubelet === undefined ? undefined : containerIn(this.folder, kubelet);
    this.paths =
      kubelet === undefined
        ? [this.live]
        : [join(this.folder, kubelet === 'pods' ? 'pods/*/*/*.log' : 'containers/*.log')];
    this.#fd = this.container?.handle ?? openSync(this.live, 'a');
  }

  get live(): string {
    return this.container?.live ?? join(this.folder, 'app.log');
  }

  /** Goes on in the file that the container now has. */
  goOn(): void {
    this.#fd = this.container!.handle;
    this.inFile = 0;
  }

  /** In several writes, some of which end within a line. */
  lines(count: number, fd = this.#fd): void {
    let text = '';
    for (let i = 0; i < count; i++)
      text += `${this.name} ${String(this.written++).padStart(9, '0')} is a line\n`;
    const half = Math.floor(text.length / 2) + 3;
    for (const part of [text.slice(0, half), text.slice(half)]) writeSync(fd, part);
    if (fd === this.#fd) this.inFile += count;
  }

  get handle(): number {
    return this.#fd;
  }

  moveAway(to = `${this.live}.1`): void {
    renameSync(this.live, to);
  }

  /** Lets go of the old file and begins a new one. */
  reopen(): void {
    closeSync(this.#fd);
    this.begin();
  }

  /** Begins a new file; whoever has the old handle keeps it. */
  begin(): number {
    const old = this.#fd;
    this.#fd = openSync(this.live, 'a');
    this.inFile = 0;
    return old;
  }

  /** `.1` becomes `.2` and so on, from the oldest. */
  moveUp(): void {
    const numbers = readdirSync(this.folder)
      .map((name) => Number(/^app\.log\.(\d+)$/.exec(name)?.[1] ?? 0))
      .filter((number) => number > 0)
      .sort((a, b) => b - a);
    for (const number of numbers) renameSync(`${this.live}.${number}`, `${this.live}.${number + 1}`);
  }

  copyAndTruncate(): void {
    this.moveUp();
    copyFileSync(this.live, `${this.live}.1`);
    ftruncateSync(this.#fd, 0);
    this.inFile = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export interface MatrixCase {
  readonly name: string;
  /** The file is a container's, as kubelet keeps it; which of the places that lead to it is read. */
  readonly kubelet?: 'pods' | 'containers' | 'docker';
  /** Takes away what is in the file: only what was read before can be expected to arrive. */
  readonly destroys?: boolean;
  /** Takes it where no configured path leads: a file can be expected to be found there once it was seen before. */
  readonly hides?: boolean;
  /** Needs logrotate. */
  readonly logrotate?: boolean;
  /** `lines` are to be written by it, about. */
  rotate(writer: MatrixWriter, lines: number): Promise<void> | void;
}

/** The kinds of rotation. Each may be done again and again. */
export const MATRIX: readonly MatrixCase[] = [
  {
    name: 'rename-create',
    rotate(writer, lines) {
      writer.moveUp();
      writer.moveAway();
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    name: 'rename-create-later',
    async rotate(writer, lines) {
      writer.moveUp();
      writer.moveAway();
      await pause(50);
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    name: 'rename-write-on-create-later',
    async rotate(writer, lines) {
      writer.moveUp();
      writer.moveAway();
      for (let i = 0; i < 5; i++) {
        writer.lines(Math.ceil(lines / 10));
        await pause(10);
      }
      writer.reopen();
      writer.lines(Math.ceil(lines / 2));
    },
  },
  {
    name: 'rename-old-handle-beside',
    async rotate(writer, lines) {
      writer.moveUp();
      writer.moveAway();
      const old = writer.begin();
      for (let i = 0; i < 10; i++) {
        writer.lines(Math.ceil(lines / 20), old);
        writer.lines(Math.ceil(lines / 20));
        await pause(20);
      }
      closeSync(old);
    },
  },
  {
    name: 'cascade',
    rotate(writer, lines) {
      for (let i = 0; i < 4; i++) {
        writer.moveUp();
        writer.moveAway();
        writer.reopen();
        writer.lines(Math.ceil(lines / 4));
      }
    },
  },
  {
    name: 'copytruncate-smaller',
    rotate(writer, lines) {
      writer.lines(Math.ceil((lines * 3) / 4));
      writer.copyAndTruncate();
      writer.lines(Math.ceil(lines / 4));
    },
  },
  {
    name: 'copytruncate-equal',
    rotate(writer) {
      const before = writer.inFile;
      writer.copyAndTruncate();
      writer.lines(before);
    },
  },
  {
    name: 'copytruncate-larger',
    rotate(writer, lines) {
      const before = writer.inFile;
      writer.copyAndTruncate();
      writer.lines(before + Math.ceil(lines / 4));
      // The next one begins small again.
      writer.copyAndTruncate();
      writer.lines(Math.ceil(lines / 4));
    },
  },
  {
    name: 'rename-gzip',
    rotate(writer, lines) {
      const to = `${writer.live}-${20_260_101 + writer.rotations}`;
      writer.moveAway(to);
      writer.reopen();
      compress(to);
      writer.lines(lines);
    },
  },
  {
    name: 'rename-delete',
    destroys: true,
    rotate(writer, lines) {
      writer.moveAway();
      writer.reopen();
      rmSync(`${writer.live}.1`);
      writer.lines(lines);
    },
  },
  {
    name: 'delete-recreate',
    destroys: true,
    rotate(writer, lines) {
      rmSync(writer.live);
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    // While nobody reads, the old target is where it was, but no path that is configured leads there.
    name: 'symlink-switched',
    hides: true,
    rotate(writer, lines) {
      const link = join(writer.folder, 'app.log');
      const target = join(writer.folder, `target-${writer.rotations}`);
      if (writer.rotations === 0) writer.moveAway(join(writer.folder, 'target-first'));
      writeFileSync(target, '');
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    name: 'folder-moved',
    hides: true,
    rotate(writer, lines) {
      renameSync(writer.folder, `${writer.folder}-moved-${writer.rotations}`);
      mkdirSync(writer.folder, { mode: 0o755 });
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    name: 'unreadable',
    async rotate(writer, lines) {
      chmodSync(writer.live, 0o000);
      writer.lines(Math.ceil(lines / 2));
      await pause(30);
      chmodSync(writer.live, 0o644);
      writer.lines(Math.ceil(lines / 2));
    },
  },
  {
    name: 'kubelet-pods',
    kubelet: 'pods',
    rotate: rotateAsKubelet,
  },
  {
    name: 'kubelet-containers',
    kubelet: 'containers',
    rotate: rotateAsKubelet,
  },
  {
    name: 'kubelet-restart',
    kubelet: 'containers',
    async rotate(writer, lines) {
      await rotateAsKubelet(writer, lines);
      writer.container!.restart();
      writer.goOn();
      writer.lines(Math.ceil(lines / 2));
      if (writer.rotations % 2 === 1) writer.container!.compress();
    },
  },
  {
    name: 'kubelet-docker',
    kubelet: 'docker',
    rotate: rotateAsKubelet,
  },
  {
    // Docker's json-file driver with max-size and compress: `.1` stays plain, what is older is compressed.
    name: 'docker-max-size',
    rotate(writer, lines) {
      const rotated = readdirSync(writer.folder)
        .map((name) => /^app\.log\.(\d+)(\.gz)?$/.exec(name))
        .filter((match) => match !== null)
        .sort((a, b) => Number(b[1]) - Number(a[1]));
      for (const [name, number, packed = ''] of rotated) {
        const to = `${writer.live}.${Number(number) + 1}${packed}`;
        renameSync(join(writer.folder, name), to);
        if (packed === '') compress(to);
      }
      writer.moveAway();
      writer.reopen();
      writer.lines(lines);
    },
  },
  {
    name: 'logrotate-delaycompress',
    logrotate: true,
    rotate: (writer, lines) => logrotate(writer, lines, 'create\ncompress\ndelaycompress'),
  },
  {
    name: 'logrotate-copytruncate',
    logrotate: true,
    rotate: (writer, lines) => logrotate(writer, lines, 'copytruncate\ncompress'),
  },
];

function containerIn(folder: string, kubelet: MatrixCase['kubelet']): KubeletWriter {
  return new KubeletWriter({
    pods: join(folder, 'pods'),
    containers: join(folder, 'containers'),
    ...(kubelet === 'docker' ? { docker: join(folder, 'docker') } : {}),
    namespace: 'matrix',
    pod: 'web-1',
    uid: '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d',
    container: 'app',
    id: '0123456789abcdef'.repeat(4),
  });
}

/** What was rotated before is compressed, the live file gets a name with the time, and a moment later there is a new one. */
async function rotateAsKubelet(writer: MatrixWriter, lines: number): Promise<void> {
  const container = writer.container!;
  container.compress();
  container.moveAway();
  writer.lines(Math.ceil(lines / 4));
  await pause(20);
  container.reopen();
  writer.goOn();
  writer.lines(Math.ceil((lines * 3) / 4));
}

async function logrotate(writer: MatrixWriter, lines: number, directives: string): Promise<void> {
  const config = `${writer.folder}.rotate`;
  writeFileSync(config, `${writer.live} {\nrotate 99\n${directives}\n}\n`);
  chmodSync(config, 0o644);
  await run('logrotate', ['-f', '-s', `${config}.state`, config]);
  // The writer goes on with the handle that it has until it is told; copytruncate tells nobody.
  writer.lines(Math.ceil(lines / 2));
  if (!directives.includes('copytruncate')) writer.reopen();
  writer.lines(Math.ceil(lines / 2));
}

/** As gzip does it: beside the original, with its time, and the original goes last. */
function compress(file: string): void {
  const bytes = gzipSync(readFileSync(file));
  const half = Math.floor(bytes.length / 2);
  writeFileSync(`${file}.gz`, bytes.subarray(0, half));
  appendFileSync(`${file}.gz`, bytes.subarray(half));
  const { atimeMs, mtimeMs } = statSync(file);
  utimesSync(`${file}.gz`, atimeMs / 1000, mtimeMs / 1000);
  rmSync(file);
}
