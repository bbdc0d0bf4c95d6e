import { anyValueText, type AnyValue, type Attributes } from '../../wire/any-value.ts';
import { validLabelName } from '../../wire/metric-name.ts';
import type { RecordFilter } from './record-query.ts';

/** Short names for attributes, as the series of an agent have them as labels. */
export const ALIASES: Readonly<Record<string, string>> = {
  host: 'host.name',
  agent: 'taffrail.agent',
  source: 'taffrail.source',
  file: 'log.file.path',
  job: 'service.name',
  instance: 'service.instance.id',
};

/** A filter cut to one stream: what its resource decides is decided, what is left is asked of each record. */
export interface StreamFilter {
  /** No record of this stream can fit. */
  readonly never: boolean;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
}

export function filterForStream(filter: RecordFilter, resource: Attributes): StreamFilter {
  const open: { name: string; value: string }[] = [];
  for (const { name, value } of filter.labels) {
    const own = attributeText(resource, name);
    if (own === undefined) open.push({ name, value });
    else if (own !== value) return { never: true, labels: [] };
  }
  return { never: false, labels: open };
}

export function textFits(record: { readonly body: AnyValue }, text: string): boolean {
  return text === '' || anyValueText(record.body).includes(text);
}

export function labelsFit(attributes: Attributes, filter: StreamFilter): boolean {
  return filter.labels.every(({ name, value }) => attributeText(attributes, name) === value);
}

/** Whether an attribute of this name may give the label its value. */
export function decidesLabel(own: string, label: string): boolean {
  return own === label || ALIASES[label] === own || (own.includes('.') && validLabelName(own) === label);
}

function attributeText(attributes: Attributes, name: string): string | undefined {
  if (Object.hasOwn(attributes, name)) return anyValueText(attributes[name]!);
  const alias = ALIASES[name];
  if (alias !== undefined && Object.hasOwn(attributes, alias)) return anyValueText(attributes[alias]!);
  for (const own in attributes) {
    if (own.includes('.') && validLabelName(own) === name) return anyValueText(attributes[own]!);
  }
  return undefined;
}
