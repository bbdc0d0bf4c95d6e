import { agentDoor } from '../config/access-schema.ts';
import { loadAgentConfig, type LoadedAgentConfig } from '../config/load-config.ts';
import type { ProblemAt } from '../config/checked-yaml.ts';
import { namedFileProblems } from '../config/named-files.ts';
import type { Pack } from '../config/pack-schema.ts';
import type { Problem } from '../model/problem.ts';
import { ProblemsError } from '../model/problem.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { loadPack } from '../parse/load-pack.ts';
import { zoneProblem } from '../parse/time/zone.ts';
import type { RuleGroup } from '../rules/rule.ts';
import type { SourceSpec } from '../tail/source-spec.ts';
import { builtInGroups } from './built-in-groups.ts';
import { templateProblems } from './check-receivers.ts';
import { commitLimits, limitProblems } from './commit-limits.ts';
import { doorNotes } from './door.ts';
import type { Feeding } from './fed-metrics.ts';
import { loadRules } from './load-rules.ts';
import { type PackFile, PackLibrary } from './pack-library.ts';
import type { ScannerPlan } from './scanner-plan.ts';

/** A configuration with everything that it names read and checked: nothing in it can fail later for a user's mistake. */
export interface AgentPlan {
  readonly file: string;
  readonly config: LoadedAgentConfig;
  /** As it is written, without secrets. */
  readonly shown: string;
  readonly scanners: readonly ScannerPlan[];
  readonly sources: readonly SourceSpec[];
  /** What each source makes metrics of. */
  readonly fed: readonly Feeding[];
  readonly ruleGroups: readonly RuleGroup[];
  /** Well, but worth a look: for `taffrail check`. */
  readonly notes: readonly Problem[];
  /** For notes of one's own about the same file. */
  readonly problemAt: ProblemAt;
}

/** A pattern that keeps one chunk busy for longer than this is taken out of service. */
const PATTERN_BUDGET_MS = 1000;

/** What start-up, reload and `taffrail check` share. Throws ProblemsError with every problem found. */
export async function loadAgentPlan(file: string, given?: string): Promise<AgentPlan> {
  const { config, problemAt, shown } = loadAgentConfig(file, given);
  const problems: Problem[] = [];
  const library = new PackLibrary(config.parsers);
  const scanners: ScannerPlan[] = [];
  const sources: SourceSpec[] = [];
  const fed: Feeding[] = [];
  for (const [index, source] of config.sources.entries()) {
    const zone = source.timezone === undefined ? undefined : zoneProblem(source.timezone);
    if (zone !== undefined) problems.push(problemAt(['sources', index, 'timezone'], zone));
    const packFile = library.find(source.parser);
    if (packFile === undefined) {
      problems.push(problemAt(['sources', index, 'parser'], unknownPack(source.parser, library.names())));
      continue;
    }
    const loaded = loadPack(packFile.text, packFile.file);
    problems.push(
      ...loaded.problems.filter(
        (problem) => !problems.some((known) => known.file === problem.file && known.line === problem.line),
      ),
    );
    if (loaded.pack === undefined) continue;
    scanners.push(scannerPlan(config, index, packFile, loaded.pack));
    for (const label of Object.keys(source.path_labels).filter(
      (name) => name in source.labels || name === 'source',
    ))
      problems.push(
        problemAt(
          ['sources', index, 'path_labels', label],
          `\`${label}\` is among the labels of the source already; take another name`,
        ),
      );
    const sharedLabels = Object.keys(source.path_labels);
    fed.push({
      constLabels: { ...source.labels, source: source.name },
      sharedLabels,
      metrics: loaded.pack.metrics,
    });
    sources.push(sourceSpec(config, index, loaded.pack));
  }
  const rules = await loadRules(config.rules, { keptMs: config.rule_history });
  const builtIn = builtInGroups({
    program: 'agent',
    chosen: config.built_in_rules,
    keptMs: config.rule_history,
    problemAt,
  });
  problems.push(
    ...rules.problems,
    ...builtIn.problems,
    ...templateProblems(config, problemAt),
    ...namedFileProblems(config, problemAt),
    ...limitProblems(config, problemAt),
  );
  if (problems.length > 0) throw new ProblemsError(problems);
  const notes = doorNotes(agentDoor(config.listen), ['listen', 'tokens'], problemAt);
  return {
    file,
    config,
    shown,
    scanners,
    sources,
    fed,
    ruleGroups: [...builtIn.groups, ...rules.groups],
    notes,
    problemAt,
  };
}

function unknownPack(name: string, names: readonly string[]): string {
  const meant = didYouMean(name, names);
  const hint = meant === undefined ? '' : `did you mean ${JSON.stringify(meant)}? `;
  return `no parser pack is named ${JSON.stringify(name)}; ${hint}there are: ${names.join(', ')}`;
}

function scannerPlan(
  config: LoadedAgentConfig,
  index: number,
  { file, text }: PackFile,
  pack: Pack,
): ScannerPlan {
  const source = config.sources[index]!;
  return {
    source: source.name,
    packFile: file,
    packText: text,
    pack,
    use: {
      source: source.name,
      constLabels: { ...source.labels, source: source.name },
      ...(Object.keys(source.path_labels).length === 0 ? {} : { pathLabels: source.path_labels }),
      records: source.records,
      maxSeries: source.max_series ?? config.metrics.max_series,
      expireAfterMs: config.metrics.expire_after,
      timezone: source.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      budgetMs: PATTERN_BUDGET_MS,
    },
    blockBytes: config.buffer.batch_bytes,
    blockRecords: config.buffer.batch_records,
  };
}

function sourceSpec(config: LoadedAgentConfig, index: number, pack: Pack): SourceSpec {
  const source = config.sources[index]!;
  return {
    name: source.name,
    paths: source.paths,
    exclude: source.exclude,
    startAt: source.start_at,
    maxLineBytes: source.max_line_bytes,
    encoding: source.encoding,
    lingerMs: source.linger,
    ...(source.records ? { chunkBytes: commitLimits(config.buffer).chunkWithRecords } : {}),
    ...(pack.multiline === undefined ? {} : { multilineTimeoutMs: pack.multiline.timeout }),
  };
}
