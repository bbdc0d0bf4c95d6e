import { type Problem, ProblemsError } from '../model/problem.ts';
import { agentDoor, type Door } from '../config/access-schema.ts';
import type { AgentPlan } from './load-plan.ts';

/** What cannot change under a running agent: it was handed on at the start, and partly shipped. */
const FIXED = [
  'state_dir',
  'buffer',
  'metrics',
  'rule_history',
  'host',
  'external_labels',
  'external_url',
  'log_level',
  'log_format',
] as const;

/** Throws ProblemsError where a reload would change any of them. */
export function refuseFixedChanges(before: AgentPlan, after: AgentPlan): void {
  const problems: Problem[] = [];
  const changed = FIXED.filter((key) => !isSame(before.config[key], after.config[key]));
  const doors = [before, after].map(({ config }) => fixedPart(agentDoor(config.listen)));
  for (const key of [...changed, ...(isSame(doors[0], doors[1]) ? [] : ['listen'])]) {
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

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Who may come in can change; where, and behind which certificate and proxies, cannot. */
function fixedPart({ address, tls, trusted_proxies, allow_insecure }: Door): object {
  return { address, tls, trusted_proxies, allow_insecure };
}
