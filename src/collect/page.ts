import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpHandler } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline: a hostile log line that became markup could do nothing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Adds the web page: its files and the chart library, read once, no build. */
export function createPage(router: Router): void {
  const folder = fileURLToPath(new URL('./page', import.meta.url));
  for (const name of readdirSync(folder)) {
    router.route('GET', name === 'index.html' ? '/' : `/${name}`, fileHandler(join(folder, name)));
  }
  // Where links in alerts lead, as in Prometheus: `/graph?g0.expr=…`; the page shows that expression.
  for (const path of ['/graph', '/query']) router.route('GET', path, fileHandler(join(folder, 'index.html')));
  router.route('GET', '/favicon.ico', fileHandler(join(folder, 'favicon.svg')));
  const require = createRequire(import.meta.url);
  const charts = dirname(require.resolve('uplot/dist/uPlot.esm.js'));
  for (const name of ['uPlot.esm.js', 'uPlot.min.css']) {
    router.route('GET', `/assets/${name}`, fileHandler(join(charts, name)));
  }
}

function fileHandler(path: string): HttpHandler {
  const body = readFileSync(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-cache',
    etag,
  };
  return (request) => {
    if (request.headers['if-none-match'] === etag) return { status: 304, headers };
    return { status: 200, headers, body };
  };
}
