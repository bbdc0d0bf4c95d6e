import { escapeHtml } from '../template/template-builtins.ts';
import { TemplateEvaluator, type TemplateFunction } from '../template/template-evaluator.ts';
import { templateFunctions } from '../rules/template-functions.ts';
import type { Template, TemplateBody, TemplateNode } from '../template/template-nodes.ts';
import { parseTemplate } from '../template/template-parser.ts';
import {
  isStruct,
  labelMap,
  printValue,
  TemplateError,
  type TemplateValue,
} from '../template/template-value.ts';
import { DEFAULT_TEMPLATES } from './default-templates.ts';
import { notificationValue } from './notification-data.ts';
import { NOTIFICATION_FUNCTION_NAMES, NOTIFICATION_FUNCTIONS } from './notification-functions.ts';

const SAFE_HTML = 'template.HTML';
const LIMITS = { steps: 100_000, output: 262_144 };

/**
 * Expands the Go template of a receiver over a notification; throws TemplateError where it is wrong. In HTML all that
 * actions print is escaped (labels may hold what a stranger wrote into a log), except what went through safeHtml.
 */
export function renderNotification(text: string, data: unknown, form: 'text' | 'html' = 'text'): string {
  const template = parseNotificationTemplate(text);
  const functions = templateFunctions({
    externalUrl: '',
    externalLabels: labelMap({}),
    nowMs: 0,
    query: () => {
      throw new TemplateError('query is for the templates of rules');
    },
    runDefined: (name, inner) => evaluator.runDefined(name, inner),
  });
  const evaluator: TemplateEvaluator = new TemplateEvaluator(
    template,
    new Map([...functions, ...NOTIFICATION_FUNCTIONS, ...(form === 'html' ? HTML_FUNCTIONS : [])]),
    form === 'html' ? { ...LIMITS, print: printHtml } : LIMITS,
  );
  return evaluator.run(notificationValue(data), {});
}

const HTML_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  [
    'safeHtml',
    (args) => ({ kind: 'struct', type: SAFE_HTML, fields: new Map([['text', printValue(args[0])]]) }),
  ],
];

function printHtml(value: TemplateValue): string {
  if (isStruct(value) && value.type === SAFE_HTML) return printValue(value.fields.get('text'));
  return escapeHtml(printValue(value));
}

/** Throws TemplateError where the text is no template, or calls one by a name that nobody defines. */
export function parseNotificationTemplate(text: string): Template {
  const own = parseTemplate(text, {
    name: 'receiver',
    functions: NOTIFICATION_FUNCTION_NAMES,
    variables: [],
  });
  const template = { ...own, defined: new Map([...DEFAULT_TEMPLATES, ...own.defined]) };
  for (const body of [own.body, ...own.defined.values()]) {
    for (const name of calledIn(body)) {
      if (!template.defined.has(name))
        throw new TemplateError(`template ${JSON.stringify(name)} not defined`);
    }
  }
  return template;
}

function calledIn(body: TemplateBody): readonly string[] {
  return body.flatMap((node: TemplateNode) => {
    if (node.kind === 'template') return [node.name];
    if (node.kind === 'if' || node.kind === 'with' || node.kind === 'range')
      return [...calledIn(node.body), ...calledIn(node.otherwise)];
    return [];
  });
}
