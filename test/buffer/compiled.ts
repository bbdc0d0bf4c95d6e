import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Compiles src/ to a folder of its own and gives the path of a script there, so that a test can run code of ours in
 * another process: Node runs no TypeScript. `body` may import from './buffer/…' and so on, as JavaScript.
 */
export function compileScript(name: string, body: string): string {
  const root = path.resolve(`node_modules/.cache/taffrail-${name}-${process.pid}`);
  const out = path.join(root, 'dist');
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(root, 'package.json'), '{"type":"module","version":"0.0.0"}');
  const tsc = path.resolve('node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], { stdio: 'ignore' });
  const script = path.join(out, `${name}.js`);
  fs.writeFileSync(script, body);
  return script;
}

export function removeCompiled(script: string): void {
  fs.rmSync(path.dirname(path.dirname(script)), { recursive: true, force: true });
}
