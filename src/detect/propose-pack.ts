import type { Pack } from '../config/pack-schema.ts';
import { mineTemplate } from './mine-template.ts';
import type { Template, TemplatePart } from './mine-template.ts';
import { openFormatOf, proposeOpenFormat } from './open-format.ts';
import { SLOTS } from './tokenise.ts';

/** What of a pack.yaml a proposal fills in; plain values, for YAML. */
export type ProposedPack = Partial<Record<keyof Pack, unknown>> & { readonly name: string };

/** A pack made from lines alone, to be edited: the format they share, or a pattern of what they have in common. */
export function proposePack(name: string, lines: readonly string[]): ProposedPack {
  const open = openFormatOf(lines);
  if (open !== undefined) return proposeOpenFormat(name, open, lines);
  const template = mineTemplate(lines);
  const slots = template.parts.filter((part) => part.kind === 'slot');
  const time = slots.find(({ slot }) => SLOTS[slot].time !== undefined);
  const level = slots.find(({ slot }) => slot === 'level');
  const types = Object.fromEntries(
    slots.flatMap(({ slot, field, values }) =>
      slot === 'number'
        ? [[field, [...values.keys()].every((one) => !one.includes('.')) ? 'int' : 'float']]
        : [],
    ),
  );
  return {
    name,
    description: `Lines of ${name}; proposed from their structure, to be edited`,
    pattern: templatePattern(template),
    ...(time === undefined ? {} : { timestamp: { field: time.field, format: SLOTS[time.slot].time } }),
    ...(level === undefined ? {} : { severity: { field: level.field } }),
    ...(Object.keys(types).length === 0 ? {} : { fields: types }),
    metrics: proposeMetrics(name, slots),
  };
}

function templatePattern({ parts, hasRest }: Template): string {
  const body = parts.map((part) => {
    if (part.kind === 'literal') return escapeLiteral(part.text);
    if (part.slot === 'quoted') {
      const inside = `"(?<${part.field}>(?:[^"\\\\]|\\\\.)*)"`;
      return part.orDash ? `(?:${inside}|-)` : inside;
    }
    const { source: recognised, asked: source = recognised } = SLOTS[part.slot];
    return `(?<${part.field}>${part.orDash ? `${source}|-` : source})`;
  });
  return `^${body.join('')}${hasRest ? '(?<message>.*)' : ''}$`;
}

function escapeLiteral(text: string): string {
  return text
    .replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replaceAll('\\/', '/')
    .replaceAll('\t', '\\t');
}

type SlotPart = Extract<TemplatePart, { kind: 'slot' }>;

/** Labels have few values, and each comes more than once. */
const LABEL_VALUES_MAX = 12;
const LABELS_MAX = 2;
const UNIT_OF_NAME = /_(ns|us|ms|s)$/;
const DURATION_NAME = /duration|elapsed|took|latency|time|rtt/i;

function proposeMetrics(name: string, slots: readonly SlotPart[]): object[] {
  const prefix = name.replaceAll('-', '_').replace(/^(?=\d)/, '_');
  const labels = slots
    .filter(({ slot, values }) => {
      const total = [...values.values()].reduce((sum, count) => sum + count, 0);
      const few = values.size <= LABEL_VALUES_MAX && values.size * 3 <= total;
      return slot === 'level' || ((slot === 'word' || slot === 'value') && few);
    })
    .slice(0, LABELS_MAX)
    .map(({ field }) => field);
  const durations = slots.filter(
    ({ slot, field }) => slot === 'number' && (UNIT_OF_NAME.test(field) || DURATION_NAME.test(field)),
  );
  return [
    { name: `${prefix}_lines_total`, type: 'counter', help: `Lines of ${name}.`, labels: labelMap(labels) },
    ...durations.map(({ field }) => durationMetric(prefix, field, labels)),
  ];
}

function durationMetric(prefix: string, field: string, labels: readonly string[]): object {
  const unit = UNIT_OF_NAME.exec(field)?.[1];
  const stem = field.replace(UNIT_OF_NAME, '').toLowerCase();
  return {
    name: `${prefix}_${stem}_seconds`,
    type: 'histogram',
    help: `The number ${field} of each line, in seconds.`,
    value: field,
    unit: unit ?? 's',
    labels: labelMap(labels),
  };
}

function labelMap(fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field.toLowerCase(), field]));
}
