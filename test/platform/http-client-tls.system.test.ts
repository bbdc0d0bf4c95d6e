import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpClient } from '../../src/platform/http-client.ts';
import type { TlsOptions } from '../../src/platform/http-client.ts';

let dir: string;
let url: string;
let mutualUrl: string;
const closers: (() => void)[] = [];

/** A certificate of our own for localhost, signed by itself. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'taffrail-tls-'));
  const made = spawnSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost
     -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem`.split(/\s+/),
    { cwd: dir },
  );
  expect(made.status, 'openssl makes the certificate for this test').toBe(0);
  url = await serve({});
  mutualUrl = await serve({ requestCert: true, rejectUnauthorized: true });
});
afterAll(async () => {
  for (const close of closers) close();
  await rm(dir, { recursive: true, force: true });
});

async function serve(options: object): Promise<string> {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(dir, name)));
  const server = createServer({ key, cert, ca: cert, ...options }, (_request, response) =>
    response.end('hello'),
  );
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

async function post(target: string, tls: TlsOptions): Promise<string> {
  const client = new HttpClient({ tls });
  try {
    return (await client.post(target, { body: Buffer.from('x') })).body;
  } finally {
    await client.close();
  }
}

test('a certificate of an unknown CA is refused with words and its code', async () => {
  await expect(post(url, {})).rejects.toThrow(
    /^the certificate of localhost:\d+ is not signed by a CA we trust \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
  );
});

test('a CA that is given is trusted, by file or by text', async () => {
  expect(await post(url, { caFile: join(dir, 'cert.pem') })).toBe('hello');
  expect(await post(url, { ca: readFileSync(join(dir, 'cert.pem'), 'utf8') })).toBe('hello');
});

test('a certificate for another name is refused, unless that name is expected or nothing is checked', async () => {
  const ca = { caFile: join(dir, 'cert.pem') };
  await expect(post(url, { ...ca, serverName: 'elsewhere.example' })).rejects.toThrow(/is for another name/);
  expect(await post(url, { insecureSkipVerify: true })).toBe('hello');
});

test('a server that demands a certificate gets ours; without one the failure asks for it', async () => {
  const ca = { caFile: join(dir, 'cert.pem') };
  await expect(post(mutualUrl, ca)).rejects.toThrow(/client certificate/);
  expect(
    await post(mutualUrl, { ...ca, certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') }),
  ).toBe('hello');
});

test('a file that cannot be read is named', () => {
  expect(() => new HttpClient({ tls: { caFile: '/nowhere/ca.pem' } })).toThrow(
    /cannot read the TLS CA file \/nowhere\/ca.pem/,
  );
});
