import type { Labels } from '../model/series.ts';
import { TemplateError } from '../template/template-value.ts';
import type { LabelAssignment, LabelChoice, Stage } from './ast.ts';
import { parseCapturePattern } from './capture-pattern.ts';
import { jsonParser, unpackLine } from './json-parser.ts';
import { anchored, compileLabelFilter } from './label-filter.ts';
import { labelText } from './label-name.ts';
import { compileLineFilter } from './line-filter.ts';
import { ERROR, ERROR_DETAILS, type LineLabels } from './line-labels.ts';
import { LineRegex } from './line-regex.ts';
import { compileLineTemplate } from './line-template.ts';
import { logfmtParser } from './logfmt-parser.ts';

/** A line through one stage, or through all of them: undefined where it is dropped. */
export type StageStep = (line: string, labels: LineLabels) => string | undefined;

/** Stages as one function. With `wanted` parsers stop as soon as these names are found. */
export function compilePipeline(stages: readonly Stage[], wanted?: ReadonlySet<string>): StageStep {
  const steps = stages.map((stage) => compileStage(stage, wanted));
  const [first, second] = steps;
  if (first === undefined) return (line) => line;
  if (second === undefined) return first;
  return (line, labels) => {
    let current: string | undefined = line;
    for (const step of steps) {
      current = step(current, labels);
      if (current === undefined) return undefined;
    }
    return current;
  };
}

function compileStage(stage: Stage, wanted: ReadonlySet<string> | undefined): StageStep {
  switch (stage.kind) {
    case 'line': {
      const test = compileLineFilter(stage);
      return (line) => (test(line) ? line : undefined);
    }
    case 'filter': {
      const test = compileLabelFilter(stage.filter);
      return (line, labels) => (test(labels) ? line : undefined);
    }
    case 'json':
      return parsing(jsonParser(stage, wanted));
    case 'logfmt':
      return parsing(logfmtParser(stage, wanted));
    case 'regexp':
      return parsing(regexpParser(stage.pattern));
    case 'pattern': {
      const capture = parseCapturePattern(stage.pattern);
      return parsing((line, labels) =>
        capture(line, (name, value) => labels.addParsed(name, labelText(value))),
      );
    }
    case 'unpack':
      return unpackLine;
    case 'line_format':
      return lineFormat(stage.template);
    case 'label_format':
      return labelFormat(stage.assignments);
    case 'decolorize':
      return (line) =>
        line.includes('\u001b') || line.includes('\u009b') ? line.replaceAll(COLOURS, '') : line;
    case 'drop':
      return dropLabels(stage.labels);
    case 'keep':
      return keepLabels(stage.labels);
  }
}

/** Escape sequences of terminals. */
// eslint-disable-next-line no-control-regex
const COLOURS =
  /[\u001b\u009b][[\]()#;?]*(?:(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\u0007)|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~]))/g;

function parsing(parse: (line: string, labels: LineLabels) => void): StageStep {
  return (line, labels) => {
    parse(line, labels);
    return line;
  };
}

function regexpParser(pattern: string): (line: string, labels: LineLabels) => void {
  const regex = LineRegex.compile(pattern);
  const { names } = regex;
  return (line, labels) => {
    const found = regex.capture(line);
    if (found === undefined) return;
    for (const name of names) labels.addParsed(name, labelText(found[name] ?? ''));
  };
}

function lineFormat(text: string): StageStep {
  const template = compileLineTemplate(text);
  return (line, labels) => {
    try {
      return template(labels.all(), { text: line, ms: labels.line.ms, nanos: labels.line.nanos });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      labels.fail('TemplateFormatErr', error.message);
      return line;
    }
  };
}

/** Renames act at once; all templates of one stage see the labels as the first of them does. */
function labelFormat(assignments: readonly LabelAssignment[]): StageStep {
  const compiled = assignments.map((assignment) =>
    'from' in assignment
      ? assignment
      : { name: assignment.name, template: compileLineTemplate(assignment.template) },
  );
  return (line, labels) => {
    let seen: Labels | undefined;
    for (const assignment of compiled) {
      if ('from' in assignment) {
        const value = labels.get(assignment.from);
        if (value === undefined) continue;
        labels.set(assignment.name, value);
        labels.remove(assignment.from);
        continue;
      }
      seen ??= labels.all();
      try {
        const value = assignment.template(seen, { text: line, ms: labels.line.ms, nanos: labels.line.nanos });
        labels.set(assignment.name, labelText(value));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        labels.fail('TemplateFormatErr', error.message);
      }
    }
    return line;
  };
}

interface Choice {
  readonly name: string;
  readonly fits: (value: string) => boolean;
}

function compileChoices(choices: readonly LabelChoice[]): readonly Choice[] {
  return choices.map(({ name, matcher }) => {
    if (matcher === undefined) return { name, fits: () => true };
    const { kind, value } = matcher;
    if (kind === '=') return { name, fits: (text) => text === value };
    if (kind === '!=') return { name, fits: (text) => text !== value };
    const matches = anchored(value);
    return { name, fits: kind === '=~' ? matches : (text) => !matches(text) };
  });
}

function dropLabels(choices: readonly LabelChoice[]): StageStep {
  const compiled = compileChoices(choices);
  return (line, labels) => {
    for (const { name, fits } of compiled) {
      const value = labels.get(name);
      if (value !== undefined && fits(value)) labels.remove(name);
    }
    return line;
  };
}

/** What is not chosen goes, but for what says that the line is broken. */
function keepLabels(choices: readonly LabelChoice[]): StageStep {
  const compiled = compileChoices(choices);
  return (line, labels) => {
    for (const name of labels.names()) {
      if (name === ERROR || name === ERROR_DETAILS) continue;
      const value = labels.get(name)!;
      if (!compiled.some((choice) => choice.name === name && choice.fits(value))) labels.remove(name);
    }
    return line;
  };
}
