import { z } from 'zod';
import { duration } from './units.ts';

/**
 * Every key of a `pack.yaml`. `docs/PACKS.md` is its reference. The schema says what each key may hold;
 * what keys mean to each other (a label that no pattern captures, two formats at once) is checked in `parse/`.
 */

const FIELD_TYPES = ['text', 'int', 'float', 'bool'] as const;
export const LINE_FORMATS = [
  'json',
  'logfmt',
  'csv',
  'tsv',
  'w3c',
  'cri',
  'syslog',
  'keyvalue',
  'raw',
] as const;
export const STACK_TRACES = ['java', 'python', 'go', 'node', 'ruby', 'php', 'dotnet', 'rust'] as const;
export const MASK_KINDS = ['email', 'card', 'token', 'ip', 'phone'] as const;

/** Engines whose expressions a pack may carry over; `dialect:` says which where they disagree. */
export const DIALECTS = [
  'javascript',
  're2',
  'pcre',
  'oniguruma',
  'python',
  'java',
  'rust',
  'posix',
] as const;

const fieldName = z
  .string()
  .min(1)
  .max(200)
  .regex(
    /^[@\p{L}_][^\s{}"]*$/u,
    'a field name starts with a letter or _ and has no spaces, braces or quotes',
  );
const text = z.string().max(10_000);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const regex = z.string().min(1).max(20_000);
const flags = z
  .string()
  .regex(/^[is]*$/, 'flags are i (ignore case) and s (dot matches newlines of a multiline event)');
const dialect = z.enum(DIALECTS);
const stepName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a name has lower-case letters, digits, - and _');

const tests = z.strictObject({
  is: scalar.optional(),
  not: scalar.optional(),
  in: z.array(scalar).min(1).optional(),
  not_in: z.array(scalar).min(1).optional(),
  matches: regex.optional(),
  not_matches: regex.optional(),
  contains: z.string().min(1).optional(),
  starts_with: z.string().min(1).optional(),
  ends_with: z.string().min(1).optional(),
  above: z.number().optional(),
  at_least: z.number().optional(),
  below: z.number().optional(),
  at_most: z.number().optional(),
  exists: z.boolean().optional(),
});
const fieldTest = z.union([scalar, z.array(scalar).min(1), tests]);
const allOf = z.record(fieldName, fieldTest);
/** A mapping holds where every field passes its test; a list where one of its mappings holds. */
const condition = z.union([allOf, z.array(allOf).min(1)]);

const UNITS = [
  'ns', 'us', 'µs', 'ms', 's', 'm', 'h', 'd', 'duration', 'clock',
  'B', 'kB', 'KB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB', 'size', 'pages', 'percent', 'celsius',
] as const; // prettier-ignore
const unit = z.enum(UNITS);

const namedPattern = z.strictObject({
  name: stepName,
  pattern: regex.optional(),
  grok: regex.optional(),
  flags: flags.optional(),
  dialect: dialect.optional(),
});

const lineFormat = {
  pattern: regex.optional(),
  patterns: z.array(namedPattern).min(1).max(200).optional(),
  grok: regex.optional(),
  format: z.enum(LINE_FORMATS).optional(),
  flags: flags.optional(),
  columns: z.array(fieldName).min(1).max(1000).optional(),
  header: z.boolean().optional(),
  separator: z.string().length(1).optional(),
  pair_separator: z.string().min(1).max(4).optional(),
  key_separator: z.string().min(1).max(4).optional(),
  records_at: fieldName.optional(),
};

export interface ThenInput extends LineFormatInput {
  field: string;
  prefix?: string | undefined;
  otherwise: 'unmatched' | 'keep';
  then?: ThenInput | undefined;
}
const thenSchema: z.ZodType<ThenInput> = z.lazy(() =>
  z.strictObject({
    field: fieldName,
    ...lineFormat,
    prefix: z.string().max(100).optional(),
    otherwise: z.enum(['unmatched', 'keep']).default('unmatched'),
    // oxlint-disable-next-line unicorn/no-thenable -- a mapping, never a function: awaiting it does nothing
    then: thenSchema.optional(),
  }),
);

const multiline = z.strictObject({
  field: fieldName.optional(),
  start: regex.optional(),
  continuation: regex.optional(),
  indent: z.boolean().optional(),
  stacktrace: z.array(z.enum(STACK_TRACES)).min(1).optional(),
  timeout: duration({ min: '10ms', max: '5m' }).prefault('1s'),
  max_lines: z.int().min(2).max(10_000).default(500),
});

const timestamp = z.strictObject({
  field: fieldName,
  format: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).default('iso8601'),
  timezone: z.string().min(1).optional(),
});

const SEVERITIES = [
  'trace',
  'debug',
  'info',
  'notice',
  'warn',
  'error',
  'critical',
  'alert',
  'fatal',
] as const;
const severity = z.strictObject({
  field: fieldName,
  map: z.record(z.string(), z.enum(SEVERITIES)).optional(),
});

const when = { when: condition.optional() };
const step = z.union([
  z.strictObject({
    convert: z.strictObject({
      field: fieldName,
      to: z.enum(FIELD_TYPES).optional(),
      unit: unit.optional(),
      ...when,
    }),
  }),
  z.strictObject({ rename: z.record(fieldName, fieldName) }),
  z.strictObject({ keep: z.strictObject({ name: stepName, when: condition }) }),
  z.strictObject({ drop: z.strictObject({ name: stepName, when: condition }) }),
  z.strictObject({
    map: z.strictObject({
      field: fieldName,
      to: fieldName.optional(),
      values: z.record(z.string(), scalar).optional(),
      patterns: z.array(z.strictObject({ matches: regex, value: scalar })).optional(),
      default: scalar.optional(),
      ...when,
    }),
  }),
  z.strictObject({ template: z.strictObject({ field: fieldName, text, ...when }) }),
  z.strictObject({
    extract: z.strictObject({ field: fieldName, pattern: regex, flags: flags.optional(), ...when }),
  }),
  z.strictObject({
    route: z.strictObject({
      field: fieldName,
      to: fieldName.default('route'),
      routes: z.array(z.string().startsWith('/')).max(500).optional(),
      otherwise: z.enum(['guess', 'other']).default('guess'),
      ...when,
    }),
  }),
  z.strictObject({
    mask: z.strictObject({
      field: fieldName.optional(),
      what: z.array(z.enum(MASK_KINDS)).min(1).optional(),
      pattern: regex.optional(),
      with: z.string().max(100).default('***'),
    }),
  }),
  z.strictObject({
    hash: z.strictObject({
      field: fieldName,
      salt: z.string().optional(),
      length: z.int().min(8).max(64).default(16),
    }),
  }),
  z.strictObject({ remove: z.array(fieldName).min(1) }),
]);

const metricName = z
  .string()
  .max(200)
  .regex(
    /^[a-zA-Z_][a-zA-Z0-9_]*$/,
    'a metric name has letters, digits and _ and starts with none of the digits',
  );
const labelName = z
  .string()
  .regex(
    /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/,
    'a label name has letters, digits and _, and does not start with __',
  );
const labelSource = z.union([fieldName, z.strictObject({ literal: z.string() })]);
const moment = z.union([z.string(), condition]);

const metric = z.strictObject({
  name: metricName.optional(),
  name_from: fieldName.optional(),
  prefix: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
    .optional(),
  max_names: z.int().min(1).max(10_000).default(200),
  type: z.enum(['counter', 'gauge', 'histogram', 'unique', 'pair']),
  help: z.string().min(1).max(500).optional(),
  value: fieldName.optional(),
  unit: unit.optional(),
  labels: z.union([z.record(labelName, labelSource), z.array(labelName)]).prefault({}),
  buckets: z.array(z.number()).min(1).max(200).optional(),
  when: condition.optional(),
  patterns: z.array(stepName).min(1).optional(),
  time: z.enum(['line', 'now']).optional(),
  start: moment.optional(),
  end: moment.optional(),
  key: fieldName.optional(),
  max_series: z.int().min(1).max(1_000_000).optional(),
  expire_after: duration({ min: '1s', max: '1y' }).optional(),
});

export const packSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a pack name has lower-case letters, digits and -'),
  description: z.string().min(1).max(500),
  ...lineFormat,
  dialect: dialect.optional(),
  definitions: z.record(z.string().regex(/^[A-Z0-9_]+$/), regex).prefault({}),
  // oxlint-disable-next-line unicorn/no-thenable -- a mapping, never a function: awaiting it does nothing
  then: thenSchema.optional(),
  multiline: multiline.optional(),
  zones: z
    .record(
      z.string().regex(/^[A-Za-z]{1,8}$/, 'an abbreviation of a zone has 1 to 8 letters'),
      z.string().min(1),
    )
    .prefault({}),
  timestamp: timestamp.optional(),
  severity: severity.optional(),
  fields: z.record(fieldName, z.enum(FIELD_TYPES)).prefault({}),
  steps: z.array(step).max(200).prefault([]),
  metrics: z.array(metric).max(500).prefault([]),
  unsafe: z.boolean().default(false),
});

export type Pack = z.output<typeof packSchema>;
export type PackStep = Pack['steps'][number];
export type PackMetric = Pack['metrics'][number];
export type PackTimestamp = NonNullable<Pack['timestamp']>;
export type PackSeverity = NonNullable<Pack['severity']>;
export type PackMultiline = NonNullable<Pack['multiline']>;
export type PackThen = ThenInput;
export type Condition = z.output<typeof condition>;
export type FieldTest = z.output<typeof fieldTest>;
export type DialectName = (typeof DIALECTS)[number];
export type FieldType = (typeof FIELD_TYPES)[number];
export type Unit = (typeof UNITS)[number];
export type SeverityName = (typeof SEVERITIES)[number];
export type LabelSource = z.output<typeof labelSource>;
export interface LineFormatInput {
  pattern?: string | undefined;
  patterns?:
    | {
        name: string;
        pattern?: string | undefined;
        grok?: string | undefined;
        flags?: string | undefined;
        dialect?: DialectName | undefined;
      }[]
    | undefined;
  grok?: string | undefined;
  format?: (typeof LINE_FORMATS)[number] | undefined;
  flags?: string | undefined;
  columns?: string[] | undefined;
  header?: boolean | undefined;
  separator?: string | undefined;
  pair_separator?: string | undefined;
  key_separator?: string | undefined;
  records_at?: string | undefined;
}
