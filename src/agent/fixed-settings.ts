import { type Problem, ProblemsError } from '../model/problem.ts';
import type { AgentPlan } from './load-plan.ts';

/** What cannot change under a running agent: it was handed on at the start, and partly shipped. */
const FIXED = [
  'state_dir',
  'listen',
  'buffer',
  'metrics',
  'rule_history',
  'host',
  'external_labels',
  'external_url',
  'log_level',
] as const;

/** Throws ProblemsError where a reload would change any of them. */
export function refuseFixedChanges(before: AgentPlan, after: AgentPlan): void {
  const problems: Problem[] = [];
  for (const key of FIXED) {
    if (JSON.stringify(before.config[key]) === JSON.stringify(after.config[key])) continue;
    problems.push({
      file: after.file,
      line: 0,
      column: 0,
      key,
      message: 'cannot change in a reload; restart the agent for it',
    });
  }
  if (problems.length > 0) throw new ProblemsError(problems);
}
