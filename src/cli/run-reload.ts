import { request } from 'node:http';
import { resolve } from 'node:path';
import { runtimeFolders, socketsIn } from '../platform/runtime-folder.ts';
import type { ControlledService } from './control-socket.ts';
import { RemoteError } from './remote-error.ts';
import { UsageError } from './usage-error.ts';

interface Found {
  readonly socket: string;
  readonly service: ControlledService;
}

/**
 * Asks a service of this host to reload, and waits until it has. Gives a sentence; throws RemoteError with the service's
 * reason where it refuses, UsageError where there is none to ask, or more than one.
 */
export async function runReload(options: {
  readonly config?: string;
  readonly socket?: string;
}): Promise<string> {
  const { socket, service } = await findService(options);
  const { status, text } = await ask('POST', socket, '/-/reload');
  if (status !== 200) {
    throw new RemoteError(
      `the ${service.program} refused to reload, what it had stays in force:\n${text.trimEnd()}`,
    );
  }
  return `the ${service.program} runs with ${service.config} as it is now`;
}

async function findService({ config, socket }: { config?: string; socket?: string }): Promise<Found> {
  if (socket !== undefined) return { socket, service: await serviceAt(socket) };
  const folders = runtimeFolders();
  const all = await Promise.all(folders.flatMap(socketsIn).map(async (path) => lookAt(path)));
  const wanted = config === undefined ? undefined : resolve(config);
  const found = all.filter(
    (one): one is Found => one !== undefined && (wanted === undefined || one.service.config === wanted),
  );
  // As everywhere: the agent of this host, or else the collector.
  const agents = found.filter(({ service }) => service.program === 'agent');
  const chosen = agents.length > 0 ? agents : found;
  if (chosen.length === 1) return chosen[0]!;
  if (chosen.length > 1) {
    const list = chosen.map(({ service }) => `  taffrail reload -c ${service.config}`).join('\n');
    throw new UsageError(`several run here; say which one:\n${list}`);
  }
  const which = wanted === undefined ? '' : ` with ${wanted}`;
  throw new UsageError(
    `no agent or collector${which} that this user may ask runs here (looked in ${folders.join(', ')}); a service belongs to its user and to root`,
  );
}

/** Undefined where nobody answers: the socket of a process that was killed, or one of another user. */
async function lookAt(socket: string): Promise<Found | undefined> {
  return serviceAt(socket).then(
    (service) => ({ socket, service }),
    () => undefined,
  );
}

async function serviceAt(socket: string): Promise<ControlledService> {
  try {
    return JSON.parse((await ask('GET', socket, '/')).text) as ControlledService;
  } catch (error) {
    throw new UsageError(`nothing answers at ${socket} (${(error as Error).message})`, { cause: error });
  }
}

function ask(method: string, socketPath: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolvePromise, reject) => {
    const asked = request({ method, socketPath, path, headers: { host: 'localhost' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.once('end', () => resolvePromise({ status: answer.statusCode ?? 0, text }));
      answer.once('error', reject);
    });
    asked.once('error', reject);
    asked.end();
  });
}
