import { randomBytes } from 'node:crypto';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPO = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = 'systemd,systemd-sysv,dbus,libstdc++6,procps';

/** Why a machine cannot be made here; undefined where it can. */
export function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'booting a container needs root';
  for (const program of ['debootstrap', 'systemd-nspawn', 'nsenter']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`;
  }
  return undefined;
}

/** A container with a Debian of its own and a real systemd as its first process, with the product installed as a package would. */
export class Machine {
  readonly root: string;
  #container: ChildProcess | undefined;
  #init = '';

  constructor(root: string) {
    this.root = root;
  }

  install(): void {
    // A temporary folder is its owner's alone; as the root of a system everybody must be able to pass through it.
    chmodSync(this.root, 0o755);
    const lib = join(this.root, 'usr/lib/taffrail');
    if (!existsSync(join(this.root, 'usr/lib/systemd/systemd'))) {
      execFileSync(
        'debootstrap',
        ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', this.root, 'http://deb.debian.org/debian'],
        { stdio: 'pipe' },
      );
    }
    for (const state of ['taffrail', 'taffrail-collector'])
      rmSync(join(this.root, 'var/lib', state), { recursive: true, force: true });
    mkdirSync(lib, { recursive: true });
    for (const part of ['bin', 'dist', 'docs', 'parsers', 'package.json', 'node_modules']) {
      cpSync(join(REPO, part), join(lib, part), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !path.includes('/.cache'),
      });
    }
    cpSync(process.execPath, join(this.root, 'usr/bin/node'));
    const link = join(this.root, 'usr/bin/taffrail');
    rmSync(link, { force: true });
    symlinkSync('../lib/taffrail/bin/taffrail.js', link);
    for (const unit of ['taffrail-agent.service', 'taffrail-collector.service']) {
      cpSync(join(REPO, 'systemd', unit), join(this.root, 'usr/lib/systemd/system', unit));
    }
    cpSync(join(REPO, 'systemd/taffrail.sysusers'), join(this.root, 'usr/lib/sysusers.d/taffrail.conf'));
    // Without one this would be a first boot, at which Debian's presets start every unit there is.
    writeFileSync(join(this.root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  }

  async boot(): Promise<void> {
    const args = ['-D', this.root, '--boot', '--register=no', '--keep-unit', '--private-network', '--quiet'];
    this.#container = spawn('systemd-nspawn', args, { stdio: 'ignore' });
    await this.until('systemd is up', () => {
      this.#init = spawnSync('pgrep', ['-P', String(this.#container!.pid)], {
        encoding: 'utf8',
      }).stdout.trim();
      return this.#init !== '' && /running|degraded/.test(this.run('systemctl', 'is-system-running'));
    });
    this.run('systemd-sysusers');
  }

  /** Runs a program inside; its output, whatever its exit status. */
  run(...command: readonly string[]): string {
    const inside = ['-t', this.#init, '-m', '-u', '-i', '-n', '-p', '--', ...command];
    const { stdout, stderr } = spawnSync('nsenter', inside, { encoding: 'utf8' });
    return `${stdout}${stderr}`;
  }

  /** The exit status of a program inside. */
  status(...command: readonly string[]): number | null {
    const inside = ['-t', this.#init, '-m', '-u', '-i', '-n', '-p', '--', ...command];
    return spawnSync('nsenter', inside, { stdio: 'ignore' }).status;
  }

  property(unit: string, name: string): string {
    return this.run('systemctl', 'show', '-p', name, '--value', unit).trim();
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.root, path, '..'), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  append(path: string, text: string): void {
    appendFileSync(join(this.root, path), text);
  }

  /** As Debian's syslog makes them: readable by root and group adm alone. */
  restrictToAdm(path: string): void {
    const adm = /^adm:[^:]*:(\d+):/m.exec(readFileSync(join(this.root, 'etc/group'), 'utf8'))![1]!;
    chownSync(join(this.root, path), 0, Number(adm));
    chmodSync(join(this.root, path), 0o640);
  }

  async until(what: string, holds: () => boolean, ms = 40_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async powerOff(): Promise<void> {
    const container = this.#container;
    if (container === undefined || container.exitCode !== null) return;
    const ended = new Promise((resolve) => container.once('exit', resolve));
    this.run('systemctl', 'poweroff');
    const timer = setTimeout(() => container.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  }
}
