import { TemplateEvaluator } from '../rules/template-evaluator.ts';
import { TEMPLATE_FUNCTION_NAMES, templateFunctions } from '../rules/template-functions.ts';
import { parseTemplate } from '../rules/template-parser.ts';
import { type GoMap, type GoStruct, TemplateError, type TemplateValue } from '../rules/template-value.ts';

const LIMITS = { steps: 100_000, output: 262_144 };

/** Expands the Go template of a receiver over a notification; throws TemplateError where it is wrong. */
export function renderNotification(text: string, data: unknown): string {
  const template = parseTemplate(text, {
    name: 'receiver',
    functions: TEMPLATE_FUNCTION_NAMES,
    variables: [],
  });
  const functions = templateFunctions({
    externalUrl: '',
    externalLabels: toTemplateValue({}),
    nowMs: 0,
    query: () => {
      throw new TemplateError('query is for the templates of rules');
    },
    runDefined: (name, inner) => evaluator.runDefined(name, inner),
  });
  const evaluator: TemplateEvaluator = new TemplateEvaluator(template, functions, LIMITS);
  return evaluator.run(toTemplateValue(data), {});
}

/** JavaScript's values as Go's: records of text become maps, other objects structs. */
function toTemplateValue(value: unknown): TemplateValue {
  if (value === null || value === undefined) return undefined;
  if (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  )
    return value;
  if (value instanceof Date) return { kind: 'time', ms: value.getTime() };
  if (Array.isArray(value)) return value.map(toTemplateValue);
  const entries = Object.entries(value);
  if (entries.every(([, inner]) => typeof inner === 'string')) {
    return { kind: 'map', entries: new Map(entries as [string, string][]), zero: '' } satisfies GoMap;
  }
  const fields = new Map(entries.map(([key, inner]) => [key, toTemplateValue(inner)]));
  return { kind: 'struct', type: 'template.Data', fields } satisfies GoStruct;
}
