import fs from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';

/**
 * Gives the path of a script beside src/ as it is compiled for this run, so that a test can run code of ours in another
 * process. `body` may import from './buffer/…' and so on, as JavaScript.
 */
export function compileScript(name: string, body: string): string {
  const script = path.join(inject('builtSource'), `${name}-${process.pid}.js`);
  fs.writeFileSync(script, body);
  return script;
}

export function removeCompiled(script: string): void {
  fs.rmSync(script, { force: true });
}
