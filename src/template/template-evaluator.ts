import { failurePlace, LocatedError } from './template-failure.ts';
import { timeMethod } from './template-time-methods.ts';
import type { Command, Operand, Pipe, Template, TemplateBody, TemplateNode } from './template-nodes.ts';
import type { TemplateMethod, TemplateValue } from './template-value.ts';
import {
  isList,
  isMap,
  isStruct,
  isTime,
  isTrue,
  methodOf,
  printValue,
  sortedKeys,
  TemplateError,
  typeName,
} from './template-value.ts';

/** A function that a template calls; it throws a `TemplateError` where Go's returns an error. */
export type TemplateFunction = (args: readonly TemplateValue[]) => TemplateValue;

export interface EvaluationLimits {
  /** Most nodes and operands that are visited. */
  readonly steps: number;
  /** Longest output, in characters. */
  readonly output: number;
  /** Whether a failure says where in the template it is, as Go writes it. */
  readonly locates?: boolean;
  /** How an action's value becomes text; as Go's %v where left out. */
  readonly print?: (value: TemplateValue) => string;
}

const DEPTH_MAX = 100;

interface Variable {
  readonly name: string;
  value: TemplateValue;
}

type Flow = 'on' | 'break' | 'continue';

/**
 * Carries out one template once. Pure: a second run over the same values does the same, which is what lets a
 * caller fetch something that a function lacked and start over.
 */
export class TemplateEvaluator {
  readonly #template: Template;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #limits: EvaluationLimits;
  #steps = 0;
  #output = '';
  #depth = 0;
  #variables: Variable[] = [];

  constructor(
    template: Template,
    functions: ReadonlyMap<string, TemplateFunction>,
    limits: EvaluationLimits,
  ) {
    this.#template = template;
    this.#functions = functions;
    this.#limits = limits;
  }

  run(data: TemplateValue, variables: Readonly<Record<string, TemplateValue>>): string {
    this.#variables = [{ name: '$', value: data }];
    for (const [name, value] of Object.entries(variables)) this.#variables.push({ name, value });
    this.#body(this.#template.body, data);
    return this.#output;
  }

  /** Carries out a defined template with `data` and gives its text: the function `tmpl`. */
  runDefined(name: string, data: TemplateValue): string {
    const outside = this.#output;
    this.#output = '';
    this.#invoke(name, data);
    const text = this.#output;
    this.#output = outside;
    return text;
  }

  #body(body: TemplateBody, dot: TemplateValue): Flow {
    for (const node of body) {
      const flow = this.#node(node, dot);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  #node(node: TemplateNode, dot: TemplateValue): Flow {
    this.#step();
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return 'on';
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0)
          this.#write(value === undefined ? '<no value>' : (this.#limits.print ?? printValue)(value));
        return 'on';
      }
      case 'template':
        this.#invoke(node.name, node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot));
        return 'on';
      case 'break':
      case 'continue':
        return node.kind;
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipe(node.pipe, dot);
          if (!isTrue(value)) return this.#body(node.otherwise, dot);
          return this.#body(node.body, node.kind === 'with' ? value : dot);
        });
    }
  }

  #range(node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>, dot: TemplateValue): Flow {
    const value = this.#pipe({ ...node.pipe, variables: [] }, dot);
    const entries = rangeEntries(value);
    if (entries.length === 0) return this.#body(node.otherwise, dot);
    for (const [key, element] of entries) {
      const flow = this.#scoped(() => {
        this.#rangeVariables(node.pipe, key, element);
        return this.#body(node.body, element);
      });
      if (flow === 'break') break;
    }
    return 'on';
  }

  #rangeVariables(pipe: Pipe, key: TemplateValue, element: TemplateValue): void {
    const values = pipe.variables.length === 2 ? [key, element] : [element];
    for (const [index, name] of pipe.variables.entries()) this.#declare(name, values[index], pipe.assigns);
  }

  #scoped(action: () => Flow): Flow {
    const scope = this.#variables.length;
    const flow = action();
    this.#variables.length = scope;
    return flow;
  }

  #invoke(name: string, data: TemplateValue): void {
    const body = this.#template.defined.get(name);
    if (body === undefined) throw new TemplateError(`template ${JSON.stringify(name)} not defined`);
    if (++this.#depth > DEPTH_MAX) throw new TemplateError(`exceeded maximum template depth (${DEPTH_MAX})`);
    const outside = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    this.#body(body, data);
    this.#variables = outside;
    this.#depth--;
  }

  #pipe(pipe: Pipe, dot: TemplateValue): TemplateValue {
    let value: TemplateValue;
    for (const [index, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, index > 0 ? [value] : []);
    }
    for (const name of pipe.variables) this.#declare(name, value, pipe.assigns);
    return value;
  }

  #declare(name: string, value: TemplateValue, assigns: boolean): void {
    if (!assigns) {
      this.#variables.push({ name, value });
      return;
    }
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) throw new TemplateError(`undefined variable: ${name}`);
    variable.value = value;
  }

  /** `piped` holds the value of the command before, which becomes the last argument. */
  #command(command: Command, dot: TemplateValue, piped: readonly TemplateValue[]): TemplateValue {
    if (this.#limits.locates !== true) return this.#commandValue(command, dot, piped);
    try {
      return this.#commandValue(command, dot, piped);
    } catch (error) {
      if (!(error instanceof TemplateError) || error instanceof LocatedError) throw error;
      throw new LocatedError(failurePlace(this.#template, command), error);
    }
  }

  #commandValue(command: Command, dot: TemplateValue, piped: readonly TemplateValue[]): TemplateValue {
    const [first, ...rest] = command.operands;
    if (first.kind === 'function') return this.#call(first.name, rest, dot, piped);
    if (first.kind === 'nil') throw new TemplateError('nil is not a command');
    const args = (): TemplateValue[] => [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    if (rest.length === 0 && piped.length === 0) return this.#operand(first, dot);
    const method = this.#method(first, dot);
    if (method === undefined)
      throw new TemplateError(`can't give argument to non-function ${this.#source(command.at)}`);
    return this.#bounded(method(args()));
  }

  /** The method that the operand names, if it ends in one. */
  #method(operand: Operand, dot: TemplateValue): TemplateMethod | undefined {
    if (!('fields' in operand)) return undefined;
    const name = operand.fields.at(-1);
    const before = { ...operand, fields: operand.fields.slice(0, -1) };
    const receiver = this.#operand(before, dot);
    if (name === undefined) return undefined;
    return isTime(receiver) ? (args) => timeMethod(receiver.ms, name, args) : methodOf(receiver, name);
  }

  #call(
    name: string,
    rest: readonly Operand[],
    dot: TemplateValue,
    piped: readonly TemplateValue[],
  ): TemplateValue {
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, dot, piped);
    const implementation = this.#functions.get(name);
    if (implementation === undefined)
      throw new TemplateError(`${JSON.stringify(name)} is not a defined function`);
    const args = [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    try {
      return this.#bounded(implementation(args));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new TemplateError(`error calling ${name}: ${error.message}`, { cause: error });
    }
  }

  /** Strings that double in a loop must end before memory does. */
  #bounded(value: TemplateValue): TemplateValue {
    if (typeof value === 'string' && value.length > this.#limits.output) {
      throw new TemplateError(`result is longer than ${this.#limits.output} characters`);
    }
    return value;
  }

  #shortCircuit(
    name: 'and' | 'or',
    rest: readonly Operand[],
    dot: TemplateValue,
    piped: readonly TemplateValue[],
  ): TemplateValue {
    if (rest.length + piped.length === 0)
      throw new TemplateError(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: TemplateValue;
    for (const operand of rest) {
      value = this.#operand(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: TemplateValue): TemplateValue {
    this.#step();
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return undefined;
      case 'constant':
        return operand.value;
      case 'field':
        return this.#fields(dot, operand.fields);
      case 'variable':
        return this.#fields(this.#variable(operand.name), operand.fields);
      case 'function':
        return this.#call(operand.name, [], dot, []);
      case 'pipe':
        return this.#fields(this.#pipe(operand.pipe, dot), operand.fields);
    }
  }

  #variable(name: string): TemplateValue {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) throw new TemplateError(`undefined variable: ${name}`);
    return variable.value;
  }

  #fields(start: TemplateValue, names: readonly string[]): TemplateValue {
    let value = start;
    for (const name of names) value = fieldOf(value, name);
    return value;
  }

  #write(text: string): void {
    if (this.#output.length + text.length > this.#limits.output) {
      throw new TemplateError(`output is longer than ${this.#limits.output} characters`);
    }
    this.#output += text;
  }

  #step(): void {
    if (++this.#steps > this.#limits.steps)
      throw new TemplateError(`took more than ${this.#limits.steps} steps`);
  }

  #source(at: number): string {
    return /^\S{0,40}/.exec(this.#template.text.slice(at))?.[0] ?? '';
  }
}

function fieldOf(value: TemplateValue, name: string): TemplateValue {
  if (value === undefined) throw new TemplateError(`nil data; no entry for key ${JSON.stringify(name)}`);
  const method = methodOf(value, name);
  if (method !== undefined) return method([]);
  if (isMap(value)) return value.entries.has(name) ? value.entries.get(name) : value.zero;
  if (isTime(value)) return timeMethod(value.ms, name, []);
  if (isStruct(value) && value.fields.has(name)) return value.fields.get(name);
  throw new TemplateError(`can't evaluate field ${name} in type ${typeName(value)}`);
}

function rangeEntries(value: TemplateValue): (readonly [TemplateValue, TemplateValue])[] {
  if (value === undefined) return [];
  if (isList(value)) return value.map((element, index) => [BigInt(index), element] as const);
  if (isMap(value)) return sortedKeys(value).map((key) => [key, value.entries.get(key)] as const);
  throw new TemplateError(`range can't iterate over ${printValue(value)}`);
}
