import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Problem } from '../model/problem.ts';
import { ProblemsError } from '../model/problem.ts';
import { agentSchema } from './agent-schema.ts';
import type { AgentConfig } from './agent-schema.ts';
import { checkYaml, type ProblemAt } from './checked-yaml.ts';
import { collectorSchema } from './collector-schema.ts';
import type { CollectorConfig } from './collector-schema.ts';
import { interpolator } from './interpolate.ts';
import { shownConfig } from './shown-config.ts';
import { resolveNamedFiles } from './named-files.ts';

/** An agent's configuration as it is used: nothing is left open. */
export type LoadedAgentConfig = Readonly<AgentConfig> & { readonly host: string };

export interface Loaded<T> {
  readonly config: T;
  /** For problems that show only when what the configuration names is looked at: a pack, a rule file. */
  readonly problemAt: ProblemAt;
  /** As it is written, without secrets. */
  readonly shown: string;
}

/**
 * Reads and checks `taffrail.yaml`. What comes out is complete and frozen; relative paths are made absolute.
 * `given` is its text where that was read already. Throws ProblemsError.
 */
export function loadAgentConfig(file: string, given?: string): Loaded<LoadedAgentConfig> {
  const base = baseOf(file);
  const { value: config, ...rest } = load(file, agentSchema, given);
  const complete = deepFreeze({
    ...config,
    host: config.host ?? hostname(),
    state_dir: resolve(base, config.state_dir),
    sources: config.sources.map((source) => ({
      ...source,
      paths: source.paths.map((path) => resolve(base, path)),
    })),
    sinks: config.sinks.map((sink) =>
      sink.type === 'file' ? { ...sink, path: resolve(base, sink.path) } : sink,
    ),
    parsers: config.parsers.map((folder) => resolve(base, folder)),
    rules: config.rules.map((glob) => resolve(base, glob)),
  });
  return { config: complete, ...rest };
}

/** The same for `collector.yaml`. */
export function loadCollectorConfig(file: string, given?: string): Loaded<CollectorConfig> {
  const base = baseOf(file);
  const { value: config, ...rest } = load(file, collectorSchema, given);
  const complete = deepFreeze({
    ...config,
    state_dir: resolve(base, config.state_dir),
    rules: config.rules.map((glob) => resolve(base, glob)),
    log_rules: config.log_rules.map((glob) => resolve(base, glob)),
  });
  return { config: complete, ...rest };
}

function load<T>(
  file: string,
  schema: z.ZodType<T>,
  given?: string,
): { value: T } & Pick<Loaded<T>, 'problemAt' | 'shown'> {
  const text = given ?? readText(file);
  const checked = checkYaml(text, file, schema, interpolator(baseOf(file)));
  if (checked.kind === 'bad') throw new ProblemsError(checked.problems);
  const { value, problemAt } = checked;
  return {
    value: resolveNamedFiles(value, baseOf(file)),
    problemAt,
    shown: shownConfig(text, value),
  };
}

/** Where relative paths begin: beside the file, or, for what comes through a pipe, where we stand. */
function baseOf(file: string): string {
  const isPipe = file === '-' || (statSync(file, { throwIfNoEntry: false })?.isFile() ?? true) === false;
  return isPipe ? process.cwd() : dirname(resolve(file));
}

/** Throws ProblemsError. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const problem: Problem = {
      file,
      line: 0,
      column: 0,
      key: '',
      message: unreadable(error as NodeJS.ErrnoException),
    };
    throw new ProblemsError([problem]);
  }
}

function unreadable(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such file; name the configuration with -c FILE';
    case 'EACCES':
      return 'may not be read by this user (permission denied)';
    case 'EISDIR':
      return 'is a folder; name the file in it';
    case undefined:
    default:
      return `cannot be read: ${error.message}`;
  }
}

function deepFreeze<T>(value: T): T {
  if (
    typeof value === 'object' &&
    value !== null &&
    !Object.isFrozen(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  if (Array.isArray(value)) {
    Object.freeze(value);
    value.forEach(deepFreeze);
  }
  return value;
}
