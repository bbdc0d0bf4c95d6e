import type { InhibitRuleConfig } from '../config/alerting-schema.ts';
import { matchesAll } from '../model/alert-matcher.ts';
import type { Labels } from '../model/series.ts';

/**
 * Answers whether an alert is muted by others that fire. An alert that fits both sides of a rule is not muted by
 * another that fits both, else two such alerts would mute each other.
 */
export class Inhibitor {
  readonly #rules: readonly {
    readonly rule: InhibitRuleConfig;
    readonly equal: ReadonlySet<string>;
    readonly oneSided: ReadonlySet<string>;
  }[];

  constructor(rules: readonly InhibitRuleConfig[], firing: Iterable<Labels>) {
    const alerts = rules.length === 0 ? [] : [...firing];
    this.#rules = rules.map((rule) => {
      const sources = alerts.filter((labels) => matchesAll(rule.source_matchers, labels));
      const oneSided = sources.filter((labels) => !matchesAll(rule.target_matchers, labels));
      return { rule, equal: equalKeys(rule, sources), oneSided: equalKeys(rule, oneSided) };
    });
  }

  mutes(labels: Labels): boolean {
    return this.#rules.some(({ rule, equal, oneSided }) => {
      if (!matchesAll(rule.target_matchers, labels)) return false;
      const sources = matchesAll(rule.source_matchers, labels) ? oneSided : equal;
      return sources.has(equalKey(rule, labels));
    });
  }
}

function equalKeys(rule: InhibitRuleConfig, alerts: readonly Labels[]): ReadonlySet<string> {
  return new Set(alerts.map((labels) => equalKey(rule, labels)));
}

function equalKey(rule: InhibitRuleConfig, labels: Labels): string {
  return JSON.stringify(rule.equal.map((name) => labels[name] ?? ''));
}
