import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];

/** Without a browser there is nothing to test, except in CI, where its absence is a fault. */
export const hasBrowser = existsSync(CHROMIUM) || process.env['CI'] === 'true';
if (!hasBrowser)
  process.stderr.write(`The page is not tested: there is no ${CHROMIUM}. Set CHROMIUM to another one.\n`);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}
