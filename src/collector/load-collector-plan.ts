import { builtInGroups } from '../agent/built-in-groups.ts';
import { templateProblems } from '../agent/check-receivers.ts';
import { loadRules } from '../agent/load-rules.ts';
import { doorNotes } from '../agent/door.ts';
import type { Door } from '../config/access-schema.ts';
import type { ProblemAt } from '../config/checked-yaml.ts';
import { namedFileProblems } from '../config/named-files.ts';
import { loadCollectorConfig } from '../config/load-config.ts';
import type { CollectorConfig } from '../config/collector-schema.ts';
import { type Problem, ProblemsError } from '../model/problem.ts';
import { linesRuleNotes } from '../rules/lines-rule-notes.ts';
import type { RuleGroup } from '../rules/rule.ts';

/** A collector's configuration with the rule files that it names. */
export interface CollectorPlan {
  readonly file: string;
  readonly config: CollectorConfig;
  /** As it is written, without secrets. */
  readonly shown: string;
  readonly ruleGroups: readonly RuleGroup[];
  /** Well, but worth a look: for `taffrail check`. */
  readonly notes: readonly Problem[];
  /** For notes of one's own about the same file. */
  readonly problemAt: ProblemAt;
}

export function collectorDoor(config: CollectorConfig): Door {
  return { ...config, address: config.listen };
}

/** What start-up, reload and `taffrail check` share. Throws ProblemsError. */
export async function loadCollectorPlan(file: string, given?: string): Promise<CollectorPlan> {
  const { config, problemAt, shown } = loadCollectorConfig(file, given);
  const rules = await loadRules(config.rules);
  const logRules = await loadRules(config.log_rules, { language: 'logql' });
  const builtIn = builtInGroups({ program: 'collector', chosen: config.built_in_rules, problemAt });
  const problems = [
    ...rules.problems,
    ...logRules.problems,
    ...builtIn.problems,
    ...templateProblems(config, problemAt),
    ...namedFileProblems(config, problemAt),
  ];
  if (problems.length > 0) throw new ProblemsError(problems);
  const notes = [
    ...doorNotes(collectorDoor(config), ['tokens'], problemAt),
    ...linesRuleProblems(logRules.groups),
  ];
  return {
    file,
    config,
    shown,
    ruleGroups: [...builtIn.groups, ...rules.groups, ...logRules.groups],
    notes,
    problemAt,
  };
}

/** What rules on lines will not do that their author may think. */
export function linesRuleProblems(groups: readonly RuleGroup[]): readonly Problem[] {
  return groups.flatMap((group) =>
    linesRuleNotes(group).map(({ rule, message }) => ({
      file: group.file,
      line: rule.line,
      column: 1,
      key: `${group.name}: ${rule.name}`,
      message,
    })),
  );
}
