import { z } from 'zod';

/** One key of a configuration file, as the reference shows it. */
export interface OptionDescription {
  /** `sources[].start_at` */
  readonly key: string;
  readonly type: string;
  /** As it would be written; empty where there is none. */
  readonly default: string;
  readonly description: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/** Every key of a schema, in the order it is written there. The reference in docs/ is made from this, and tested against it. */
export function describeOptions(schema: z.ZodType): readonly OptionDescription[] {
  const found: OptionDescription[] = [];
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  }) as JsonSchema;
  walk(json, '', found, json.$defs ?? {}, []);
  return found;
}

type Definitions = Readonly<Record<string, JsonSchema>>;

/** A schema that holds itself (a route's routes) is shown once: `within` are the references under way. */
function walk(
  schema: JsonSchema,
  path: string,
  found: OptionDescription[],
  definitions: Definitions,
  within: readonly string[],
): void {
  const into = (inner: JsonSchema, key: string): void => walk(inner, key, found, definitions, within);
  const reference = schema.$ref?.replace('#/$defs/', '');
  if (reference !== undefined && !within.includes(reference)) {
    walk(definitions[reference] ?? {}, path, found, definitions, [...within, reference]);
  }
  const required = new Set(schema.required ?? []);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const key = path === '' ? name : `${path}.${name}`;
    note(found, key, inner, required.has(name));
    into(inner, key);
  }
  if (schema.items !== undefined) into(schema.items, `${path}[]`);
  for (const member of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) into(member, path);
  if (typeof schema.additionalProperties === 'object') into(schema.additionalProperties, `${path}.*`);
}

function note(found: OptionDescription[], key: string, schema: JsonSchema, required: boolean): void {
  const type = typeText(schema);
  const known = found.findIndex((option) => option.key === key);
  if (known < 0) {
    found.push({ key, type, default: defaultText(schema, required), description: schema.description ?? '' });
  } else if (!found[known]!.type.split(', ').includes(type)) {
    found[known] = { ...found[known]!, type: `${found[known]!.type}, ${type}` };
  }
}

function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return 'mapping';
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const).replaceAll('"', '')}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const members = schema.anyOf ?? schema.oneOf;
  if (members !== undefined) return [...new Set(members.map(typeText))].join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'mapping of names' : 'mapping';
  return (
    { string: 'text', boolean: 'true, false', integer: 'whole number', number: 'number' }[
      schema.type ?? ''
    ] ?? 'any'
  );
}

function defaultText(schema: JsonSchema, required: boolean): string {
  const value = schema.default;
  if (value === undefined) return required ? 'required' : '';
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
