import type { TemplateFunction } from '../template/template-evaluator.ts';
import { TEMPLATE_FUNCTION_NAMES } from '../rules/template-functions.ts';
import { timeMethod } from '../template/template-time-methods.ts';
import { isList, isTime, TemplateError, typeName, type TemplateValue } from '../template/template-value.ts';
import { plainValue } from './notification-data.ts';

/** Alertmanager's functions that rules do not have, or have with another meaning. */
export const NOTIFICATION_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<
  string,
  TemplateFunction
>([
  ['join', (args) => joined(args)],
  ['stringSlice', (args) => args.map((_, at) => text(args, at))],
  ['title', (args) => titled(only(args))],
  ['trimSpace', (args) => only(args).trim()],
  ['safeUrl', (args) => only(args)],
  ['urlUnescape', (args) => unescaped(only(args))],
  ['toJson', (args) => JSON.stringify(plainValue(one(args)))],
  ['list', (args) => args],
  ['append', (args) => appended(args)],
  ['dict', (args) => dictionary(args)],
  ['date', (args) => date(args)],
]);

/** Every name that a template of a receiver may call. */
export const NOTIFICATION_FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...TEMPLATE_FUNCTION_NAMES,
  ...NOTIFICATION_FUNCTIONS.keys(),
]);

function one(args: readonly TemplateValue[]): TemplateValue {
  if (args.length !== 1) throw new TemplateError(`wrong number of args: want 1 got ${args.length}`);
  return args[0];
}

function only(args: readonly TemplateValue[]): string {
  one(args);
  return text(args, 0);
}

function text(args: readonly TemplateValue[], at: number): string {
  const value = args[at];
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** `join ", " list`: what joins comes first, so that a list can be piped into it. */
function joined(args: readonly TemplateValue[]): string {
  const [, list] = args;
  if (args.length !== 2 || !isList(list)) throw new TemplateError('join wants a separator and a list');
  return list.map((_, at) => text(list, at)).join(text(args, 0));
}

const WORD = /[\p{L}\p{M}\p{N}_]+(?:[.'’:·][\p{L}\p{M}\p{N}_]+)*/gu;

/** Each word with one capital; the rest of it small, unlike in the templates of rules. */
function titled(subject: string): string {
  return subject.replace(WORD, (word) =>
    word.toLowerCase().replace(/\p{L}/u, (letter) => letter.toUpperCase()),
  );
}

function unescaped(subject: string): string {
  try {
    return decodeURIComponent(subject.replaceAll('+', ' '));
  } catch (error) {
    throw new TemplateError(`invalid URL escape in ${JSON.stringify(subject)}`, { cause: error });
  }
}

function appended(args: readonly TemplateValue[]): TemplateValue {
  const [list, ...more] = args;
  if (!isList(list)) throw new TemplateError('append wants a list first');
  return [...list, ...more];
}

function dictionary(args: readonly TemplateValue[]): TemplateValue {
  if (args.length % 2 !== 0) throw new TemplateError('dict wants names and values in turn');
  const entries = new Map<string, TemplateValue>();
  for (let at = 0; at < args.length; at += 2) entries.set(text(args, at), args[at + 1]);
  return { kind: 'map', entries, zero: undefined };
}

function date(args: readonly TemplateValue[]): TemplateValue {
  const [layout, time] = args;
  if (args.length !== 2 || !isTime(time)) throw new TemplateError('date wants a layout and a time');
  return timeMethod(time.ms, 'Format', [layout]);
}
