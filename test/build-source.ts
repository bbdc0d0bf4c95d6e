import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where src/ is compiled to for this run. */
    readonly builtSource: string;
  }
}

/**
 * Before the tests: compiles src/ as it is now, module by module, for worker threads and other processes, because Node
 * runs no TypeScript. So no test sees an older build in dist/. It is below node_modules, so that packages are found.
 */
export default function setup(project: TestProject): () => void {
  const cache = path.resolve('node_modules/.cache');
  fs.mkdirSync(cache, { recursive: true });
  const folder = fs.mkdtempSync(path.join(cache, 'taffrail-source-'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module","version":"0.0.0"}');
  const tsc = path.resolve('node_modules/typescript/bin/tsc');
  const out = path.join(folder, 'dist');
  const args = [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', out];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error('src/ does not compile');
  process.env['TAFFRAIL_BUILT_SOURCE'] = out;
  project.provide('builtSource', out);
  return () => fs.rmSync(folder, { recursive: true, force: true });
}
