import type { Labels } from '../model/series.ts';
import { TemplateEvaluator } from '../template/template-evaluator.ts';
import { parseTemplate } from '../template/template-parser.ts';
import { labelMap } from '../template/template-value.ts';
import { LINE_FUNCTION_NAMES, lineFunctions, type TemplateLine } from './template-functions.ts';

/** What a template makes of one line's labels. Throws TemplateError where it fails. */
export type LineTemplate = (labels: Labels, line: TemplateLine) => string;

const LIMITS = { steps: 20_000, output: 262_144, locates: true };
const CACHED = 200;
const compiled = new Map<string, LineTemplate>();

/** Throws TemplateError where the text is no template. */
export function compileLineTemplate(text: string): LineTemplate {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const made = compile(text);
  if (compiled.size >= CACHED) compiled.delete(compiled.keys().next().value!);
  compiled.set(text, made);
  return made;
}

function compile(text: string): LineTemplate {
  const template = parseTemplate(text, { name: 'line', functions: LINE_FUNCTION_NAMES, variables: [] });
  const [only] = template.body;
  if (template.body.length <= 1 && (only === undefined || only.kind === 'text'))
    return () => only?.text ?? '';
  let current: TemplateLine;
  const functions = lineFunctions(() => current);
  return (labels, line) => {
    current = line;
    return new TemplateEvaluator(template, functions, LIMITS).run(labelMap(labels), {});
  };
}
