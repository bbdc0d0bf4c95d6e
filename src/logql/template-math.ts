import type { TemplateFunction } from '../template/template-evaluator.ts';
import { TemplateError, type TemplateValue } from '../template/template-value.ts';
import { asInteger, asNumber, counted } from './template-arguments.ts';

/** Arithmetic in templates: whole numbers, and with `f` behind the name any. What is no number counts as 0. */
export const MATH_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  ['int', (args) => asInteger(one(args))],
  ['float64', (args) => asNumber(one(args))],
  ['add', whole((a, b) => a + b)],
  ['sub', whole((a, b) => a - b)],
  ['mul', whole((a, b) => a * b)],
  ['div', whole(divided)],
  ['mod', whole(remainder)],
  ['max', whole((a, b) => (b > a ? b : a))],
  ['min', whole((a, b) => (b < a ? b : a))],
  ['addf', real((a, b) => a + b)],
  ['subf', real((a, b) => a - b)],
  ['mulf', real((a, b) => a * b)],
  ['divf', real((a, b) => a / b)],
  ['maxf', real(Math.max)],
  ['minf', real(Math.min)],
  ['ceil', (args) => Math.ceil(asNumber(one(args)))],
  ['floor', (args) => Math.floor(asNumber(one(args)))],
  ['round', rounded],
];

function one(args: readonly TemplateValue[]): TemplateValue {
  counted(args, 1);
  return args[0];
}

function whole(combine: (a: bigint, b: bigint) => bigint): TemplateFunction {
  return (args) => {
    const [first, ...rest] = args.map(asInteger);
    if (first === undefined) throw new TemplateError('wrong number of args: want at least 1 got 0');
    return BigInt.asIntN(64, rest.reduce(combine, first));
  };
}

function real(combine: (a: number, b: number) => number): TemplateFunction {
  return (args) => {
    const [first, ...rest] = args.map(asNumber);
    if (first === undefined) throw new TemplateError('wrong number of args: want at least 1 got 0');
    return rest.reduce((a, b) => combine(a, b), first);
  };
}

function divided(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new TemplateError('runtime error: integer divide by zero');
  return a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new TemplateError('runtime error: integer divide by zero');
  return a % b;
}

/** `round value places`; a fraction from the third argument on (.5) is rounded up. */
function rounded(args: readonly TemplateValue[]): number {
  const [value, places, from] = args;
  if (args.length < 2) throw new TemplateError(`wrong number of args: want 2 got ${args.length}`);
  const roundOn = from === undefined ? 0.5 : asNumber(from);
  const factor = 10 ** Number(asInteger(places));
  const scaled = asNumber(value) * factor;
  const fraction = scaled - Math.trunc(scaled);
  return (fraction >= roundOn ? Math.ceil(scaled) : Math.floor(scaled)) / factor;
}
