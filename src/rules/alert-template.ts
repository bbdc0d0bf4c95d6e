import type { Labels } from '../model/series.ts';
import { TemplateEvaluator } from '../template/template-evaluator.ts';
import { TEMPLATE_FUNCTION_NAMES, templateFunctions } from './template-functions.ts';
import type { Template } from '../template/template-nodes.ts';
import { parseTemplate } from '../template/template-parser.ts';
import type { GoStruct, TemplateValue } from '../template/template-value.ts';
import { labelMap, TemplateError } from '../template/template-value.ts';

/** What the template of one alert sees. */
export interface AlertTemplateData {
  readonly labels: Labels;
  readonly value: number;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly nowMs: number;
}

export interface QuerySample {
  readonly labels: Labels;
  readonly value: number;
}

/** An instant query at the evaluation time; scalars come as one sample without labels. */
export type TemplateQuery = (expression: string) => Promise<readonly QuerySample[]>;

const LIMITS = { steps: 100_000, output: 65_536 };
const QUERIES_MAX = 50;
const VARIABLES = ['$labels', '$externalLabels', '$externalURL', '$value'];

/** Parses the value of a label or annotation; throws a `TemplateError` that says what is wrong. */
export function parseAlertTemplate(text: string, alertName: string): Template {
  return parseTemplate(text, {
    name: `__alert_${alertName}`,
    functions: TEMPLATE_FUNCTION_NAMES,
    variables: VARIABLES,
  });
}

/** The text for one alert. A template that fails gives `<error expanding template: …>`, never a failed rule. */
export async function expandAlertTemplate(
  template: Template,
  data: AlertTemplateData,
  query: TemplateQuery,
): Promise<string> {
  const [only] = template.body;
  if (template.body.length <= 1 && (only === undefined || only.kind === 'text')) return only?.text ?? '';
  try {
    return await expand(template, data, query);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return `<error expanding template: error executing template ${template.name}: template: ${error.message}>`;
  }
}

/** Thrown by `query` where the answer is not there yet; the run starts over once it is. */
class MissingAnswer extends Error {
  readonly expression: string;

  constructor(expression: string) {
    super('a query has to be asked first');
    this.expression = expression;
  }
}

/** The evaluator is synchronous and pure, queries are not: what it lacks is asked, then it runs again. */
async function expand(template: Template, data: AlertTemplateData, query: TemplateQuery): Promise<string> {
  const answers = new Map<string, readonly TemplateValue[]>();
  for (;;) {
    try {
      return runOnce(template, data, answers);
    } catch (error) {
      if (!(error instanceof MissingAnswer)) throw error;
      if (answers.size >= QUERIES_MAX)
        throw new TemplateError(`more than ${QUERIES_MAX} queries`, { cause: error });
      answers.set(error.expression, await ask(query, error.expression));
    }
  }
}

async function ask(query: TemplateQuery, expression: string): Promise<readonly TemplateValue[]> {
  try {
    return (await query(expression)).map(({ labels, value }) => sampleStruct(labels, value));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TemplateError(`error calling query: ${message}`, { cause: error });
  }
}

function runOnce(
  template: Template,
  data: AlertTemplateData,
  answers: ReadonlyMap<string, readonly TemplateValue[]>,
): string {
  const externalLabels = labelMap(data.externalLabels);
  const labels = labelMap(data.labels);
  const functions = templateFunctions({
    externalUrl: data.externalUrl,
    externalLabels,
    nowMs: data.nowMs,
    query(expression) {
      const answer = answers.get(expression);
      if (answer === undefined) throw new MissingAnswer(expression);
      return answer;
    },
    runDefined: (name, argument) => (template.defined.has(name) ? evaluator.runDefined(name, argument) : ''),
  });
  const evaluator = new TemplateEvaluator(template, functions, LIMITS);
  const dot: GoStruct = {
    kind: 'struct',
    type: 'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }',
    fields: new Map<string, TemplateValue>([
      ['Labels', labels],
      ['ExternalLabels', externalLabels],
      ['ExternalURL', data.externalUrl],
      ['Value', data.value],
    ]),
  };
  return evaluator.run(dot, {
    $labels: labels,
    $externalLabels: externalLabels,
    $externalURL: data.externalUrl,
    $value: data.value,
  });
}

function sampleStruct(labels: Labels, value: number): GoStruct {
  return {
    kind: 'struct',
    type: '*template.sample',
    fields: new Map<string, TemplateValue>([
      ['Labels', labelMap(labels)],
      ['Value', value],
    ]),
  };
}
