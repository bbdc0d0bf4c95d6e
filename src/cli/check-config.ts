import { readFileSync } from 'node:fs';
import { loadAgentPlan } from '../agent/load-plan.ts';
import { loadCollectorPlan } from '../collector/load-collector-plan.ts';
import { formatProblem, type Problem } from '../model/problem.ts';
import { packWarnings } from '../parse/pack-warnings.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';

/**
 * The path that start-up takes, up to where something would be opened. Throws ProblemsError; returns a
 * sentence, with what makes packs slow before it.
 */
export async function checkConfig(file: string): Promise<string> {
  enableLinearFallback();
  if (isCollector(file)) {
    const { ruleGroups, notes } = await loadCollectorPlan(file);
    return `${warningText(notes)}${file}: well; a collector with ${countRules(ruleGroups)} rules`;
  }
  const { config, scanners, ruleGroups, notes } = await loadAgentPlan(file);
  const packs = new Map(scanners.map(({ packFile, packText }) => [packFile, packText]));
  const warnings = [...packs].flatMap(([packFile, text]) => packWarnings(text, packFile));
  return `${warningText([...warnings, ...notes])}${file}: well; ${config.sources.length} sources, ${config.sinks.length} sinks, ${countRules(ruleGroups)} rules`;
}

function warningText(warnings: readonly Problem[]): string {
  return warnings.map((warning) => `warning: ${formatProblem(warning)}\n`).join('');
}

/** An agent's configuration has sources; one without is taken for a collector's if it has a key that only those have. */
function isCollector(file: string): boolean {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // The loader says what is wrong with the file.
  }
  const keys = new Set([...text.matchAll(/^([a-z_]+):/gm)].map(([, key]) => key));
  return (
    (!keys.has('sources') &&
      ['retention', 'tokens', 'limits', 'allow_insecure', 'protect_reads', 'tls'].some((key) =>
        keys.has(key),
      )) ||
    (!keys.has('sources') && /collector[^/]*$/.test(file))
  );
}

function countRules(groups: readonly { readonly rules: readonly unknown[] }[]): number {
  return groups.reduce((sum, group) => sum + group.rules.length, 0);
}
