import type { Command, Operand, Template } from './template-nodes.ts';
import { isList, printValue, TemplateError } from './template-value.ts';

/** A failure that says where it is. */
export class LocatedError extends TemplateError {
  constructor(place: string, cause: TemplateError) {
    super(`${place}: ${cause.message}`, { cause });
  }
}

/** `template: NAME:LINE:COLUMN: executing "NAME" at <COMMAND>`, as Go begins it; columns are counted from 0, in bytes. */
export function failurePlace({ name, text }: Template, command: Command): string {
  const at = placeOf(command);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
  const shown = command.operands.map(written).join(' ');
  return `template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${shown}>`;
}

/** Of several fields in a row Go names the second. */
function placeOf({ operands: [first], at }: Command): number {
  return first.kind === 'field' && first.fields.length > 1 ? first.at + first.fields[0]!.length + 1 : at;
}

function written(operand: Operand): string {
  switch (operand.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'constant':
      return typeof operand.value === 'string' || isList(operand.value)
        ? JSON.stringify(operand.value)
        : printValue(operand.value);
    case 'field':
      return fields(operand.fields);
    case 'variable':
      return operand.name + fields(operand.fields);
    case 'function':
      return operand.name;
    case 'pipe':
      return `(${operand.pipe.commands.map(({ operands }) => operands.map(written).join(' ')).join(' | ')})${fields(operand.fields)}`;
  }
}

function fields(names: readonly string[]): string {
  return names.map((name) => `.${name}`).join('');
}
