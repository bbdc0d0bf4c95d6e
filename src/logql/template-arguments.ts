import { printValue, TemplateError, type TemplateValue, typeName } from '../template/template-value.ts';
import { parseGoFloat } from './literals.ts';

export function counted(args: readonly TemplateValue[], wanted: number): void {
  if (args.length !== wanted)
    throw new TemplateError(`wrong number of args: want ${wanted} got ${args.length}`);
}

/** The argument at a place, a text, of so many. */
export function text(args: readonly TemplateValue[], at: number, wanted: number): string {
  counted(args, wanted);
  const value = args[at];
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** The only argument, a text. */
export function only(args: readonly TemplateValue[]): string {
  return text(args, 0, 1);
}

/** The argument at a place, a whole number, of so many. */
export function integer(args: readonly TemplateValue[], at: number, wanted: number): number {
  counted(args, wanted);
  const value = args[at];
  if (typeof value === 'bigint') return Number(value);
  throw new TemplateError(`wrong type for value; expected int; got ${typeName(value)}`);
}

/** A value as a whole number: 0 where it is none. */
export function asInteger(value: TemplateValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
  if (typeof value !== 'string') return 0n;
  return /^[-+]?\d{1,19}$/.test(value) ? BigInt(value.replace('+', '')) : 0n;
}

/** A value as a number: 0 where it is none. */
export function asNumber(value: TemplateValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  const parsed = parseGoFloat(value === undefined ? '' : printValue(value));
  return typeof parsed === 'number' ? parsed : 0;
}
