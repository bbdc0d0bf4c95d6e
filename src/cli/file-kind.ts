import { parseDocument } from 'yaml';
import { agentSchema } from '../config/agent-schema.ts';
import { collectorSchema } from '../config/collector-schema.ts';
import { keysOf } from '../config/schema-keys.ts';

export type FileKind = 'agent' | 'collector' | 'rules' | 'log-rules' | 'rule-tests' | 'pack';

/** As messages call them. */
export const KIND_NAMES: Readonly<Record<FileKind, string>> = {
  agent: "an agent's configuration",
  collector: "a collector's configuration",
  rules: 'a rule file',
  'log-rules': 'a file of rules on lines',
  'rule-tests': 'unit tests of rules',
  pack: 'a parser pack',
};

const AGENT_KEYS = new Set(keysOf(agentSchema).get(''));
const COLLECTOR_KEYS = new Set(keysOf(collectorSchema).get(''));
/** Of a pack, what no configuration has at its top. */
const PACK_KEYS = ['pattern', 'patterns', 'grok', 'format', 'metrics', 'timestamp', 'description'];

/**
 * What a file is, by its keys, whatever its name. `isSure` is false where only keys decide that several kinds have: an
 * agent's configuration needs sources, so that one without, and without any key that only agents have, is a collector's.
 */
export function kindOfText(text: string): { readonly kind: FileKind; readonly isSure: boolean } | undefined {
  const keys = topKeys(text);
  if (keys.length === 0) return undefined;
  const has = (key: string): boolean => keys.includes(key);
  const ofAgent = keys.filter((key) => AGENT_KEYS.has(key) && !COLLECTOR_KEYS.has(key));
  const ofCollector = keys.filter((key) => COLLECTOR_KEYS.has(key) && !AGENT_KEYS.has(key));
  if (has('sources') || ofAgent.length > ofCollector.length) return { kind: 'agent', isSure: true };
  if (ofCollector.length > 0) return { kind: 'collector', isSure: true };
  // Where no expression says which language it is, PromQL is meant.
  if (has('groups')) return { kind: isAboutLines(text) ? 'log-rules' : 'rules', isSure: true };
  if (has('tests') || has('rule_files')) return { kind: 'rule-tests', isSure: true };
  if (has('name') && PACK_KEYS.some(has)) return { kind: 'pack', isSure: true };
  return keys.some((key) => COLLECTOR_KEYS.has(key)) ? { kind: 'collector', isSure: false } : undefined;
}

function topKeys(text: string): readonly string[] {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0)
    // What cannot be read yet is still of some kind, which decides who says what is wrong.
    return [...text.matchAll(/^["']?([a-z_]+)["']?[ \t]*:/gm)].map(([, key]) => key!);
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** Words that only LogQL has, in the expressions of a rule file. */
function isAboutLines(text: string): boolean {
  return /\b(?:count_over_time|rate|bytes_rate|bytes_over_time|absent_over_time)\s*\(\s*\{[^}]*\}\s*(?:\||!=|!~)|\|\s*(?:json|logfmt|unwrap|pattern|regexp)\b|\|[=~>]\s*["`]/.test(
    text,
  );
}
