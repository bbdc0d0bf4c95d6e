import { HttpError } from './http-error.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './http-message.ts';

/** Which handler answers: an exact path first, then the longest prefix. HEAD is served by GET where it has no handler. */
export class Router {
  readonly #exact = new Map<string, Map<string, HttpHandler>>();
  readonly #prefixes: { readonly prefix: string; readonly handler: HttpHandler }[] = [];

  /** Answers `method` (`GET`, or `*` for every method) at exactly `path`. */
  route(method: string, path: string, handler: HttpHandler): this {
    const methods = this.#exact.get(path) ?? new Map<string, HttpHandler>();
    methods.set(method, handler);
    this.#exact.set(path, methods);
    return this;
  }

  /** Answers every method at every path that begins with `prefix` and has no route of its own. */
  prefix(prefix: string, handler: HttpHandler): this {
    this.#prefixes.push({ prefix, handler });
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
    return this;
  }

  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const methods = this.#exact.get(request.path);
    const handler = methods === undefined ? undefined : methodHandler(methods, request.method);
    if (handler !== undefined) return handler(request);
    const under = this.#prefixes.find((entry) => request.path.startsWith(entry.prefix));
    if (under !== undefined) return under.handler(request);
    if (methods === undefined) throw new HttpError(404, `nothing is served at ${request.path.slice(0, 200)}`);
    const allowed = [...methods.keys()].join(', ');
    throw new HttpError(405, `${request.path} takes ${allowed}, not ${request.method}`, { allow: allowed });
  }
}

function methodHandler(methods: ReadonlyMap<string, HttpHandler>, method: string): HttpHandler | undefined {
  return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('*');
}
