import { readFileSync } from 'node:fs';

/** As package.json has it; two folders up from both src/platform and dist/platform. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
