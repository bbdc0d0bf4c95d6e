import { once } from 'node:events';
import net from 'node:net';

/** A TCP proxy between agent and receiver that cuts connections, loses responses, refuses and stalls, on demand. */
export class CuttingProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  target = 0;
  /** Bytes of requests after which the connection is cut; undefined: never. */
  cutAfter: number | undefined;
  /** Responses that the sender will not see. */
  loseResponses = 0;
  refusing = false;
  stalled = false;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async open(): Promise<CuttingProxy> {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new CuttingProxy(server);
    server.on('connection', (socket) => proxy.#accept(socket));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cutAll();
    await once(this.#server, 'close');
  }

  calm(): void {
    this.cutAfter = undefined;
    this.loseResponses = 0;
    this.refusing = false;
    if (this.stalled) this.cutAll();
    this.stalled = false;
  }

  #accept(client: net.Socket): void {
    if (this.refusing || this.target === 0) {
      client.on('error', () => undefined);
      client.destroy();
      return;
    }
    const upstream = net.connect(this.target, '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    let isCut = false;
    client.on('data', (bytes) => {
      if (!isCut) isCut = this.#request(bytes, upstream, cut);
    });
    upstream.on('data', (bytes) => {
      if (this.stalled) return;
      if (this.loseResponses > 0) {
        this.loseResponses--;
        cut();
        return;
      }
      client.write(bytes);
    });
  }

  /** True once the connection is cut: nothing that follows may arrive, a gap is no cut. */
  #request(bytes: Buffer, upstream: net.Socket, cut: () => void): boolean {
    if (this.stalled) return false;
    if (this.cutAfter === undefined) {
      upstream.write(bytes);
      return false;
    }
    const part = bytes.subarray(0, this.cutAfter);
    this.cutAfter -= part.length;
    upstream.write(part);
    if (this.cutAfter > 0) return false;
    this.cutAfter = undefined;
    // What was let through may arrive before the connection is gone.
    setTimeout(cut, 2);
    return true;
  }
}
