import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';

const REFERENCE = /\$\{(env|file):([^${}]*)\}/;

/**
 * Brings in `${env:NAME}` and `${file:PATH}` (path relative to the configuration file; one trailing newline is cut).
 * A reference may hold another: `${file:${env:CREDENTIALS_DIRECTORY}/token}`. `$${` stands for a plain `${`.
 */
export function interpolator(
  baseDir: string,
  env: NodeJS.ProcessEnv = process.env,
): (text: string) => string {
  return (text) => {
    const parts = text.split('$${').map((part) => resolveAll(part, baseDir, env));
    return parts.join('${');
  };
}

function resolveAll(text: string, baseDir: string, env: NodeJS.ProcessEnv): string {
  let rest = text;
  for (let round = 0; round < 100; round++) {
    const match = REFERENCE.exec(rest);
    if (match === null) break;
    const value = lookUp(match[1]!, match[2]!, baseDir, env);
    if (REFERENCE.test(value))
      throw new Error(`\${${match[1]}:${match[2]}} holds another reference; that is not followed`);
    rest = rest.slice(0, match.index) + value + rest.slice(match.index + match[0].length);
  }
  if (/\$\{/.test(rest))
    throw new Error('unknown reference; accepted: ${env:NAME}, ${file:PATH}, and $${ for a plain ${');
  return rest;
}

function lookUp(kind: string, name: string, baseDir: string, env: NodeJS.ProcessEnv): string {
  if (kind === 'env') {
    const value = env[name];
    if (value === undefined) throw new Error(`the environment has no variable ${name}`);
    return value;
  }
  try {
    return readFileSync(resolvePath(baseDir, name), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(
      `cannot read the file of \${file:${name}}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
      { cause: error },
    );
  }
}
