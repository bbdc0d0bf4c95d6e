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
    readonly equal: ReadonlyMap<string, Labels>;
    readonly oneSided: ReadonlyMap<string, Labels>;
  }[];

  constructor(rules: readonly InhibitRuleConfig[], firing: Iterable<Labels>) {
    const alerts = rules.length === 0 ? [] : [...firing];
    this.#rules = rules.map((rule) => {
      const sources = alerts.filter((labels) => matchesAll(rule.source_matchers, labels));
      const oneSided = sources.filter((labels) => !matchesAll(rule.target_matchers, labels));
      return { rule, equal: byEqualLabels(rule, sources), oneSided: byEqualLabels(rule, oneSided) };
    });
  }

  mutes(labels: Labels): boolean {
    return this.mutedBy(labels) !== undefined;
  }

  /** The labels of an alert that mutes one with these; undefined where none does. */
  mutedBy(labels: Labels): Labels | undefined {
    for (const { rule, equal, oneSided } of this.#rules) {
      if (!matchesAll(rule.target_matchers, labels)) continue;
      const sources = matchesAll(rule.source_matchers, labels) ? oneSided : equal;
      const source = sources.get(equalKey(rule, labels));
      if (source !== undefined) return source;
    }
    return undefined;
  }
}

function byEqualLabels(rule: InhibitRuleConfig, alerts: readonly Labels[]): ReadonlyMap<string, Labels> {
  return new Map(alerts.map((labels) => [equalKey(rule, labels), labels]));
}

function equalKey(rule: InhibitRuleConfig, labels: Labels): string {
  return JSON.stringify(rule.equal.map((name) => labels[name] ?? ''));
}
