import { builtInGroups } from '../agent/built-in-groups.ts';
import { templateProblems } from '../agent/check-receivers.ts';
import { loadRules } from '../agent/load-rules.ts';
import { namedFileProblems } from '../config/named-files.ts';
import { loadCollectorConfig } from '../config/load-config.ts';
import type { CollectorConfig } from '../config/collector-schema.ts';
import { ProblemsError } from '../model/problem.ts';
import type { RuleGroup } from '../rules/rule.ts';

/** A collector's configuration with the rule files that it names. */
export interface CollectorPlan {
  readonly file: string;
  readonly config: CollectorConfig;
  readonly ruleGroups: readonly RuleGroup[];
}

/** What start-up, reload and `taffrail check` share. Throws ProblemsError. */
export async function loadCollectorPlan(file: string): Promise<CollectorPlan> {
  const { config, problemAt } = loadCollectorConfig(file);
  const rules = await loadRules(config.rules);
  const builtIn = builtInGroups({ program: 'collector', chosen: config.built_in_rules, problemAt });
  const problems = [
    ...rules.problems,
    ...builtIn.problems,
    ...templateProblems(config, problemAt),
    ...namedFileProblems(config, problemAt),
  ];
  if (problems.length > 0) throw new ProblemsError(problems);
  return { file, config, ruleGroups: [...builtIn.groups, ...rules.groups] };
}
