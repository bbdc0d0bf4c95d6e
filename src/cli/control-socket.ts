import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type HttpResponse, jsonResponse, textResponse } from '../platform/http-message.ts';
import { HttpServer } from '../platform/http-server.ts';
import type { Log } from '../platform/log.ts';
import { Router } from '../platform/router.ts';
import { folderComplaint, ownRuntimeFolder, socketsIn } from '../platform/runtime-folder.ts';

/** What a service says of itself over its socket. */
export interface ControlledService {
  readonly program: 'agent' | 'collector';
  readonly pid: number;
  /** Absolute path of its configuration. */
  readonly config: string;
}

export interface ControlOptions {
  readonly program: ControlledService['program'];
  readonly config: string;
  readonly reload: () => Promise<void>;
  readonly log: Log;
}

/** What an address of a unix socket holds, less its last byte. */
const PATH_BYTES_MAX = 107;

/**
 * A socket that the service's user and root alone may use, for `taffrail reload`: it works whatever tokens and addresses
 * are configured. A service without it runs all the same, and says so.
 */
export async function openControlSocket(options: ControlOptions): Promise<HttpServer | undefined> {
  const { program, log } = options;
  try {
    const folder = ownRuntimeFolder();
    const complaint = folderComplaint(folder);
    if (complaint !== undefined) throw new Error(complaint);
    removeAbandoned(folder);
    // In a unit's own folder there is one service; elsewhere there may be several.
    const name = process.env['RUNTIME_DIRECTORY'] === undefined ? `${program}-${process.pid}` : program;
    const path = join(folder, `${name}.sock`);
    if (Buffer.byteLength(path) > PATH_BYTES_MAX) throw new Error(`${path} is too long for a socket`);
    const server = await HttpServer.listen({
      address: { kind: 'unix', path },
      handler: async (request) => routes(options).handle(request),
      log,
    });
    chmodSync(path, 0o600);
    return server;
  } catch (error) {
    log.info(
      { error: (error as Error).message },
      'no control socket: "taffrail reload" will not find this service',
    );
    return undefined;
  }
}

/** Of processes that were killed. */
function removeAbandoned(folder: string): void {
  for (const path of socketsIn(folder)) {
    const pid = Number(/-(\d+)\.sock$/.exec(path)?.[1]);
    if (Number.isInteger(pid) && !isRunning(pid)) rmSync(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function routes({ program, config, reload }: ControlOptions): Router {
  const self: ControlledService = { program, pid: process.pid, config };
  return new Router()
    .route('GET', '/', () => jsonResponse(200, self))
    .route('POST', '/-/reload', async (): Promise<HttpResponse> => {
      try {
        await reload();
        return textResponse(200, 'reloaded\n');
      } catch (error) {
        return textResponse(409, (error as Error).message);
      }
    });
}
