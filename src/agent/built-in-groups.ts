import type { ProblemAt } from '../config/checked-yaml.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import type { Problem } from '../model/problem.ts';
import { requiredHistoryMs } from '../promql/required-history.ts';
import { BUILT_IN_RULES_FILE, builtInRules, type BuiltInRulesFor } from '../rules/built-in-rules.ts';
import { promqlOf, type Rule, type RuleGroup } from '../rules/rule.ts';
import { LOOKBACK_MS, loadRuleText } from './load-rules.ts';

export interface BuiltInChoice {
  readonly program: BuiltInRulesFor;
  /** `built_in_rules` of the configuration: all, none, or those alerts. */
  readonly chosen: boolean | readonly string[];
  /** How much history rules may read; without it as much as they like. */
  readonly keptMs?: number;
  readonly problemAt: ProblemAt;
}

/** The rules that come with the program, as far as the configuration wants them. */
export function builtInGroups({ program, chosen, keptMs = Infinity, problemAt }: BuiltInChoice): {
  readonly groups: readonly RuleGroup[];
  readonly problems: readonly Problem[];
} {
  const all = loadRuleText(builtInRules(program), BUILT_IN_RULES_FILE).groups;
  const groups = all
    .map((group) => ({ ...group, rules: group.rules.filter(({ name }) => isChosen(chosen, name)) }))
    .filter(({ rules }) => rules.length > 0);
  const names = all.flatMap(({ rules }) => rules.map(({ name }) => name));
  return {
    groups,
    problems: [
      ...unknownNames(typeof chosen === 'boolean' ? [] : chosen, names, problemAt),
      ...tooLong(
        groups.flatMap(({ rules }) => rules),
        keptMs,
        problemAt,
      ),
    ],
  };
}

function isChosen(chosen: boolean | readonly string[], name: string): boolean {
  return typeof chosen === 'boolean' ? chosen : chosen.includes(name);
}

function unknownNames(
  chosen: readonly string[],
  names: readonly string[],
  problemAt: ProblemAt,
): readonly Problem[] {
  return [...chosen.entries()]
    .filter(([, name]) => !names.includes(name))
    .map(([index, name]) => {
      const meant = didYouMean(name, names);
      return problemAt(
        ['built_in_rules', index],
        `no built-in alert is named ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean ${meant}?`} There are: ${names.join(', ')}`,
      );
    });
}

/** A built-in rule that needs more history than the user keeps is the user's to leave out. */
function tooLong(rules: readonly Rule[], keptMs: number, problemAt: ProblemAt): readonly Problem[] {
  const lacking = rules.filter((rule) =>
    promqlOf(rule).some((expr) => {
      const needed = requiredHistoryMs(expr, LOOKBACK_MS);
      return needed === 'unbounded' || needed > keptMs;
    }),
  );
  if (lacking.length === 0) return [];
  const names = lacking.map(({ name }) => name).join(', ');
  return [
    problemAt(
      ['rule_history'],
      `is too short for the built-in alerts ${names}; make it longer, or list only others in built_in_rules`,
    ),
  ];
}
