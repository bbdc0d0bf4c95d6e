import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

/** Where our units keep their sockets. */
const SYSTEM_FOLDERS = ['/run/taffrail', '/run/taffrail-collector'];

/** The folder in which this process may put its socket: the one that systemd made for its unit, else one of its user's. */
export function ownRuntimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['RUNTIME_DIRECTORY']?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  const folder = userFolder(env);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Those in which a service of this host may be found; in a unit, its own alone. */
export function runtimeFolders(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const given = env['RUNTIME_DIRECTORY']?.split(':')[0];
  return given !== undefined && given !== '' ? [given] : [...SYSTEM_FOLDERS, userFolder(env)];
}

function userFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_RUNTIME_DIR'];
  if (base !== undefined && base !== '') return join(base, 'taffrail');
  return join(tmpdir(), `taffrail-${process.getuid?.() ?? 'user'}`);
}

/** Why a folder is no place for a socket that only its owner may use; undefined where it is one. */
export function folderComplaint(folder: string): string | undefined {
  const { uid, mode } = lstatSync(folder);
  const owners = [0, process.getuid?.()];
  if ((mode & 0o170000) !== 0o040000) return `${folder} is not a folder`;
  if (!owners.includes(uid)) return `${folder} belongs to another user (uid ${uid})`;
  return (mode & 0o022) === 0 ? undefined : `${folder} may be written by others`;
}

/** The sockets in a folder that only its owner can have put there. */
export function socketsIn(folder: string): readonly string[] {
  try {
    const { uid, mode } = lstatSync(folder);
    if ((mode & 0o022) !== 0) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.sock'))
      .map((name) => join(folder, name))
      .filter((path) => isSocketOf(path, uid));
  } catch {
    // There is none, or it is not for us.
    return [];
  }
}

function isSocketOf(path: string, uid: number): boolean {
  const stat = lstatSync(path);
  return stat.isSocket() && (stat.uid === uid || stat.uid === 0);
}
