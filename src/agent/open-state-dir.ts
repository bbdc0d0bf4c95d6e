import { StateLock } from '../buffer/state-lock.ts';
import { StartRefused } from '../model/start-refused.ts';
import { errorCode } from '../platform/files.ts';
import { makeFolderDurably } from '../platform/durable-files.ts';

/** Makes the folder where it is not there yet, and locks it. Throws `StartRefused` where either cannot be had. */
export async function openStateDir(dir: string): Promise<StateLock> {
  try {
    await makeFolderDurably(dir, 0o750, 'state');
    return await StateLock.acquire(dir);
  } catch (error) {
    // Anywhere else this would be another file that is missing.
    if (errorCode(error) === 'ENOENT')
      throw refusal(dir, 'no folder can be made there; set `state_dir` to another one', error);
    throw asRefusal(dir, error);
  }
}

/** What the folder's file system refuses, in words; any other error as it is. */
export function asRefusal(dir: string, error: unknown): unknown {
  const advice = adviceFor(errorCode(error));
  if (advice === undefined || error instanceof StartRefused) return error;
  return refusal(dir, advice, error);
}

function refusal(dir: string, advice: string, error: unknown): StartRefused {
  return new StartRefused(`state_dir ${dir} cannot be used: ${advice} (${(error as Error).message})`, {
    cause: error,
  });
}

function adviceFor(code: string): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there; change its owner, or set `state_dir` to another folder';
    case 'EROFS':
      return 'the file system is mounted read-only; set `state_dir` to another folder';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it is not a folder; set `state_dir` to another one';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left on its disk; make room and start again';
    case 'EIO':
      return 'its disk does not work';
    default:
      return undefined;
  }
}
