import type { LabelAssignment, Stage } from './ast.ts';
import { parseJsonPath } from './json-path.ts';
import { parseLinePattern } from './line-pattern.ts';
import { LineRegex } from './line-regex.ts';
import { LogqlError, meaninglessError } from './logql-error.ts';
import { parseCapturePattern } from './capture-pattern.ts';
import { captureNames } from './regexp-parser.ts';
import { compileLineTemplate } from './line-template.ts';

/** Throws LogqlError at the first stage whose text cannot be carried out; gives the stages. */
export function checkStages(stages: readonly Stage[]): readonly Stage[] {
  for (const stage of stages) {
    try {
      check(stage);
    } catch (error) {
      if (error instanceof LogqlError) throw error;
      throw meaninglessError(error instanceof Error ? error.message : String(error));
    }
  }
  return stages;
}

function check(stage: Stage): void {
  switch (stage.kind) {
    case 'line':
      for (const { text, ip } of stage.terms) {
        if (ip) continue;
        if (stage.op === '|~' || stage.op === '!~') LineRegex.compile(text);
        if (stage.op === '|>' || stage.op === '!>') parseLinePattern(text);
      }
      break;
    case 'json':
      for (const { path } of stage.extractions) parseJsonPath(path);
      break;
    case 'logfmt':
      for (const { path } of stage.extractions) checkLogfmtKey(path);
      break;
    case 'regexp':
      captureNames(stage.pattern);
      break;
    case 'pattern':
      parseCapturePattern(stage.pattern);
      break;
    case 'line_format':
      compileLineTemplate(stage.template);
      break;
    case 'label_format':
      checkAssignments(stage.assignments);
      break;
    case 'filter': // its matchers are checked where they are read
    case 'drop':
    case 'keep':
    case 'unpack':
    case 'decolorize':
      break;
  }
}

function checkLogfmtKey(key: string): void {
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(key))
    throw new Error(
      `logfmt: ${JSON.stringify(key)} is not the name of a field; expected letters, digits and _`,
    );
}

function checkAssignments(assignments: readonly LabelAssignment[]): void {
  const seen = new Set<string>();
  for (const assignment of assignments) {
    const { name } = assignment;
    if (name === '__error__' || name === '__error_details__')
      throw new Error(`label_format cannot set ${name}`);
    if (seen.has(name)) throw new Error(`label_format sets ${name} twice`);
    seen.add(name);
    if ('template' in assignment) compileLineTemplate(assignment.template);
  }
}
