import type { PatternAttempt, PatternCost } from '../../parse/explain.ts';
import type { ObservedEvent } from '../../parse/observed-event.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { paint, table } from '../style.ts';
import type { LayerReport } from './explain-layers.ts';

export interface LayerCost {
  readonly field: string;
  readonly format: string | undefined;
  readonly patterns: readonly PatternCost[];
}

/** What is shown of a text on each side of the place where a pattern failed. */
const CONTEXT = 60;

export function renderExplanation(
  chosen: { readonly line: number; readonly event: ObservedEvent } | undefined,
  layers: readonly LayerReport[],
  costs: readonly LayerCost[],
): string {
  if (chosen === undefined) return 'the file has no lines\n';
  const head = `${paint('bold', `Line ${chosen.line}`)} ${outcomeText(chosen.event)}\n`;
  const parts = layers.map((layer) => renderLayer(layer));
  return `${head}${parts.join('\n')}\n${paint('bold', 'Cost')} (each pattern on every line, by itself)\n${renderCosts(costs)}\n`;
}

function outcomeText({ outcome, pattern }: ObservedEvent): string {
  if (outcome === 'unmatched') return paint('red', 'is unmatched');
  return paint('green', pattern === undefined ? 'matches' : `matches ${pattern}`);
}

function renderLayer(layer: LayerReport): string {
  const lines = [`  ${shorten(layer.text, 400)}`];
  if (layer.field !== '') lines.unshift(`field ${paint('cyan', layer.field)}`);
  if (layer.format !== undefined) {
    lines.push(
      layer.matched
        ? `  ${paint('green', '✓')} format ${layer.format}`
        : `  ${paint('red', '✗')} format ${layer.format} does not read it`,
    );
    lines.push(...Object.entries(layer.fields).map(([field, value]) => capture(field, String(value))));
  }
  for (const attempt of layer.attempts) lines.push(...renderAttempt(attempt, layer.text));
  return `${lines.join('\n')}\n`;
}

function renderAttempt(attempt: PatternAttempt, text: string): string[] {
  const notes = attempt.notes.map(
    ({ message }) => `      ${paint('yellow', `the pattern ${printable(message)}`)}`,
  );
  return [...renderOutcome(attempt, text), ...notes];
}

function renderOutcome(attempt: PatternAttempt, text: string): string[] {
  if (attempt.kind === 'matched') {
    return [
      `  ${paint('green', '✓')} ${paint('bold', attempt.name)} (${attempt.engine})`,
      ...attempt.captures.map(({ field, value }) => capture(field, value)),
    ];
  }
  const before = shorten(text.slice(Math.max(0, attempt.at - CONTEXT), attempt.at), CONTEXT + 1);
  const after = shorten(text.slice(attempt.at, attempt.at + CONTEXT), CONTEXT);
  const expected = attempt.expected === '' ? 'the end' : paint('yellow', shorten(attempt.expected, 120));
  return [
    `  ${paint('red', '✗')} ${paint('bold', attempt.name)} (${attempt.engine}) fails at character ${attempt.at + 1}`,
    `      ${paint('green', before)}${after}`,
    `      ${' '.repeat(before.length)}^ expected ${expected}`,
    `      ${paint('dim', `matched so far: ${attempt.matchedSource === '' ? 'nothing' : shorten(attempt.matchedSource, 300)}`)}`,
  ];
}

function capture(field: string, value: string): string {
  return `      ${paint('cyan', printable(field))} = ${shorten(value, 160)}`;
}

function renderCosts(costs: readonly LayerCost[]): string {
  const rows = costs.flatMap(({ field, format, patterns }) =>
    patterns.length === 0
      ? [[field, `format ${format ?? 'raw'}`, '', '', '', '', '']]
      : patterns.map((one) => [
          field,
          one.name,
          one.engine,
          String(one.lines),
          String(one.matched),
          one.ms.toFixed(1),
          one.lines === 0 ? '' : ((one.ms * 1000) / one.lines).toFixed(2),
        ]),
  );
  return table(['field', 'pattern', 'engine', 'lines', 'matched', 'ms', 'µs a line'], rows);
}
