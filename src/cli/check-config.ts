import { basename } from 'node:path';
import { loadAgentPlan } from '../agent/load-plan.ts';
import { loadRuleText } from '../agent/load-rules.ts';
import { linesRuleProblems, loadCollectorPlan } from '../collector/load-collector-plan.ts';
import { readText } from '../config/load-config.ts';
import { formatProblem, type Problem, ProblemsError } from '../model/problem.ts';
import { loadPack } from '../parse/load-pack.ts';
import { packWarnings } from '../parse/pack-warnings.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import { formatProblem as formatRuleProblem } from '../rules/rule.ts';
import { readRuleTestFile } from '../rules/rule-test-file.ts';
import { emptyGlobs } from './empty-globs.ts';
import { type FileKind, KIND_NAMES, kindOfText } from './file-kind.ts';
import { UsageError } from './usage-error.ts';

/**
 * The path that start-up takes, up to where something would be opened. What the file is follows from its content, unless
 * `kind` says it. Throws ProblemsError; returns a sentence, with what makes packs slow and what names nothing before it;
 * `strict` makes errors of these.
 */
export async function checkConfig(file: string, kind?: FileKind, strict = false): Promise<string> {
  enableLinearFallback();
  const text = readText(file);
  const found = kind === undefined ? (kindOfText(text) ?? kindOfName(file)) : { kind, isSure: true };
  if (found === undefined)
    throw new UsageError(`${file}: cannot tell what it is; say it with --kind ${kinds()}`);
  try {
    const { warnings = [], notes = [], well } = await CHECKS[found.kind](file, text);
    const complaints = [...warnings, ...notes];
    if (strict && complaints.length > 0) throw new ProblemsError(complaints);
    return `${lines('warning', warnings)}${lines('note', notes)}${file}: well; ${well}`;
  } catch (error) {
    if (!(error instanceof ProblemsError) || found.isSure) throw error;
    process.stderr.write(`${file}: taken for ${KIND_NAMES[found.kind]}; --kind ${kinds()} says otherwise\n`);
    throw error;
  }
}

interface Checked {
  readonly warnings?: readonly Problem[];
  /** What names nothing now. */
  readonly notes?: readonly Problem[];
  readonly well: string;
}

const CHECKS: Readonly<Record<FileKind, (file: string, text: string) => Promise<Checked> | Checked>> = {
  async agent(file, text) {
    const { config, scanners, ruleGroups, notes, problemAt } = await loadAgentPlan(file, text);
    const packs = new Map(scanners.map(({ packFile, packText }) => [packFile, packText]));
    const warnings = [...packs].flatMap(([packFile, packText]) => packWarnings(packText, packFile));
    return {
      warnings: [...warnings, ...notes],
      notes: await emptyGlobs(config, problemAt),
      well: `${config.sources.length} sources, ${config.sinks.length} sinks, ${countRules(ruleGroups)} rules`,
    };
  },
  async collector(file, text) {
    const { config, ruleGroups, notes, problemAt } = await loadCollectorPlan(file, text);
    const empty = await emptyGlobs(config, problemAt);
    return { warnings: notes, notes: empty, well: `a collector with ${countRules(ruleGroups)} rules` };
  },
  rules(file, text) {
    const { groups, problems } = loadRuleText(text, file);
    if (problems.length > 0) throw new ProblemsError(problems);
    return { well: `a rule file with ${countRules(groups)} rules` };
  },
  'log-rules'(file, text) {
    const { groups, problems } = loadRuleText(text, file, { language: 'logql' });
    if (problems.length > 0) throw new ProblemsError(problems);
    return { warnings: linesRuleProblems(groups), well: `a file with ${countRules(groups)} rules on lines` };
  },
  'rule-tests'(file, text) {
    const { testFile, problems } = readRuleTestFile(text, { file });
    if (problems.length > 0) throw new UsageError(problems.map(formatRuleProblem).join('\n'));
    return { well: `${testFile?.tests.length ?? 0} unit tests of rules; taffrail test ${file} runs them` };
  },
  pack(file, text) {
    const { problems } = loadPack(text, file);
    if (problems.length > 0) throw new ProblemsError(problems);
    return { warnings: packWarnings(text, file), well: 'a parser pack' };
  },
};

/** For a file that has no key that says it, such as an empty one. */
function kindOfName(file: string): { readonly kind: FileKind; readonly isSure: boolean } | undefined {
  const name = basename(file);
  if (name.includes('collector')) return { kind: 'collector', isSure: false };
  if (name === 'pack.yaml') return { kind: 'pack', isSure: false };
  return /taffrail|agent/.test(name) ? { kind: 'agent', isSure: false } : undefined;
}

function kinds(): string {
  return Object.keys(KIND_NAMES).join(' | ');
}

function lines(kind: 'warning' | 'note', problems: readonly Problem[]): string {
  return problems.map((problem) => `${kind}: ${formatProblem(problem)}\n`).join('');
}

function countRules(groups: readonly { readonly rules: readonly unknown[] }[]): number {
  return groups.reduce((sum, group) => sum + group.rules.length, 0);
}
