import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { plainAddress } from './address-list.ts';

export interface ConnectionGateOptions {
  /** Connections of strangers that one address may keep. */
  readonly perAddressMax: number;
  /** Connections of strangers altogether; beyond it the oldest ends. */
  readonly totalMax: number;
  /** All connections, of strangers and others; beyond it the oldest of a stranger ends. */
  readonly connectionsMax: number;
  /** How long a new one is left alone: all of a fleet may come at once, behind one address. */
  readonly graceMs: number;
  /** How long one may do nothing, or take for one request. */
  readonly idleMs: number;
}

interface Stranger {
  readonly socket: Socket;
  readonly sinceMs: number;
  /** Since when it has nothing under way, or since when it sends its request. */
  quietSinceMs: number;
  request: IncomingMessage | undefined;
}

const DEFAULTS: ConnectionGateOptions = {
  perAddressMax: 64,
  totalMax: 16_384,
  connectionsMax: Infinity,
  graceMs: 2000,
  idleMs: 5000,
};

/** How often it looks at those that are there. */
const LOOK_MS = 500;

/**
 * A thread that is busier than this has not read yet what lies in its sockets: it cannot tell who is idle. When a fleet
 * comes back at once, most of its connections would look so.
 */
const BUSY = 0.9;

/**
 * Keeps the connections of strangers few and short, so that they cannot take the place of those who have shown a token.
 * A newcomer is never turned away for them: the oldest go. A connection is a stranger's until a request on it shows a
 * valid token.
 */
export class ConnectionGate {
  readonly #o: ConnectionGateOptions;
  readonly #monotonic: () => number;
  /** In the order in which they came. */
  readonly #strangers = new Map<Socket, Stranger>();
  readonly #timer: NodeJS.Timeout;
  #connections = 0;
  #utilization = performance.eventLoopUtilization();

  constructor(
    options: Partial<ConnectionGateOptions> = {},
    monotonic: () => number = () => performance.now(),
  ) {
    this.#o = { ...DEFAULTS, ...options };
    this.#monotonic = monotonic;
    this.#timer = setInterval(() => this.#lookIfIdle(), LOOK_MS).unref();
  }

  /** Strangers that are connected now. */
  get size(): number {
    return this.#strangers.size;
  }

  /** A connection; of a stranger's nothing is known yet. */
  opened(socket: Socket, isStranger: boolean): void {
    this.#connections++;
    socket.once('close', () => this.#connections--);
    if (isStranger) this.#add(socket);
    const { totalMax, connectionsMax } = this.#o;
    if (this.#strangers.size > totalMax || this.#connections > connectionsMax) this.#endOldest();
  }

  #add(socket: Socket): void {
    const nowMs = this.#monotonic();
    this.#strangers.set(socket, { socket, sinceMs: nowMs, quietSinceMs: nowMs, request: undefined });
    socket.once('close', () => this.#strangers.delete(socket));
  }

  #endOldest(): void {
    const oldest = this.#strangers.values().next().value;
    if (oldest !== undefined) this.#end(oldest);
  }

  #lookIfIdle(): void {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    if (performance.eventLoopUtilization(this.#utilization, before).utilization < BUSY) this.look();
  }

  /** A request on it has shown a valid token: from now on it stays as long as any. */
  known(socket: Socket): void {
    this.#strangers.delete(socket);
  }

  isStranger(socket: Socket): boolean {
    return this.#strangers.has(socket);
  }

  begins(socket: Socket, request: IncomingMessage): void {
    const stranger = this.#strangers.get(socket);
    if (stranger === undefined) return;
    stranger.request = request;
    stranger.quietSinceMs = this.#monotonic();
  }

  ended(socket: Socket): void {
    const stranger = this.#strangers.get(socket);
    if (stranger === undefined) return;
    stranger.request = undefined;
    stranger.quietSinceMs = this.#monotonic();
  }

  /** Ends those that took too long, and the oldest of each address that has too many. */
  look(): void {
    const nowMs = this.#monotonic();
    const byAddress = new Map<string, Stranger[]>();
    for (const stranger of this.#strangers.values()) {
      // One that waits for its answer is not idle, nor is one that became another protocol's.
      const waits =
        stranger.request !== undefined && (stranger.request.complete || isUpgrade(stranger.request));
      if (!waits && nowMs - stranger.quietSinceMs > this.#o.idleMs) {
        this.#end(stranger);
        continue;
      }
      if (nowMs - stranger.sinceMs < this.#o.graceMs) continue;
      const group = addressGroup(stranger.socket.remoteAddress ?? '');
      const others = byAddress.get(group);
      if (others === undefined) byAddress.set(group, [stranger]);
      else others.push(stranger);
    }
    for (const group of byAddress.values()) {
      for (const stranger of group.slice(0, Math.max(0, group.length - this.#o.perAddressMax)))
        this.#end(stranger);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #end({ socket }: Stranger): void {
    this.#strangers.delete(socket);
    socket.destroy();
  }
}

function isUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined;
}

/** One sender has a whole /64 of IPv6 addresses as easily as one of IPv4. */
function addressGroup(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(missing).fill('0'), ...back].slice(0, 4).join(':');
}
