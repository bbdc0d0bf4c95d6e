import type { TemplateToken } from './template-lexer.ts';
import { lexTemplate, TemplateSyntaxError } from './template-lexer.ts';
import type { Command, Operand, Pipe, Template, TemplateBody, TemplateNode } from './template-nodes.ts';
import { TemplateError } from './template-value.ts';

/** Longest template that is read, in characters. */
const TEXT_MAX = 65_536;
const NESTING_MAX = 100;

export interface ParseTemplateOptions {
  readonly name: string;
  /** Functions that may be called. */
  readonly functions: ReadonlySet<string>;
  /** Variables that exist from the beginning, with their `$`. */
  readonly variables: readonly string[];
}

/** Parses a Go template. Throws a `TemplateError` with a message as Go words it. */
export function parseTemplate(text: string, options: ParseTemplateOptions): Template {
  if (text.length > TEXT_MAX)
    throw new TemplateError(`template: ${options.name}: longer than ${TEXT_MAX} characters`);
  try {
    return new Parser(text, options).parse();
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error;
    const line = text.slice(0, error.at).split('\n').length;
    throw new TemplateError(`template: ${options.name}:${line}: ${error.message}`, { cause: error });
  }
}

type BodyEnd = 'end' | 'else' | 'eof';

class Parser {
  readonly #text: string;
  readonly #options: ParseTemplateOptions;
  readonly #tokens: readonly TemplateToken[];
  readonly #defined = new Map<string, TemplateBody>();
  #next = 0;
  #variables: string[];
  #nesting = 0;
  #ranges = 0;

  constructor(text: string, options: ParseTemplateOptions) {
    this.#text = text;
    this.#options = options;
    this.#tokens = lexTemplate(text);
    this.#variables = ['$', ...options.variables];
  }

  parse(): Template {
    const { body, end } = this.#body();
    if (end !== 'eof') throw this.#error(`unexpected {{${end}}}`);
    return { name: this.#options.name, text: this.#text, body, defined: this.#defined };
  }

  #body(): { body: TemplateNode[]; end: BodyEnd } {
    this.#enter();
    const body: TemplateNode[] = [];
    for (;;) {
      const token = this.#take();
      if (token.kind === 'end') return this.#leave({ body, end: 'eof' });
      if (token.kind === 'text') {
        body.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#peek().kind === 'word' ? this.#peek().text : '';
      if (word === 'end' || word === 'else') {
        this.#take();
        return this.#leave({ body, end: word });
      }
      const node = this.#action(word);
      if (node !== undefined) body.push(node);
    }
  }

  /** What follows `{{`. */
  #action(word: string): TemplateNode | undefined {
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        this.#take();
        return this.#control(word);
      case 'template':
        this.#take();
        return this.#template();
      case 'define':
        this.#take();
        this.#define();
        return undefined;
      case 'block':
        this.#take();
        return this.#block();
      case 'break':
      case 'continue':
        this.#take();
        if (this.#ranges === 0) throw this.#error(`{{${word}}} outside {{range}}`);
        this.#close(word);
        return { kind: word };
      default: {
        const pipe = this.#pipe('command', 'close');
        return { kind: 'action', pipe };
      }
    }
  }

  #control(kind: 'if' | 'with' | 'range'): TemplateNode {
    const scope = this.#variables.length;
    const pipe = this.#pipe(kind, 'close');
    if (kind === 'range') this.#ranges++;
    const { body, end } = this.#body();
    if (kind === 'range') this.#ranges--;
    const otherwise = end === 'else' ? this.#otherwise(kind) : this.#ended(end, []);
    this.#variables.length = scope;
    return { kind, pipe, body, otherwise };
  }

  /** `{{else}}…{{end}}`, or `{{else if …}}` which needs no `end` of its own. */
  #otherwise(kind: 'if' | 'with' | 'range'): TemplateBody {
    const next = this.#peek();
    if (next.kind === 'word' && next.text === kind && kind !== 'range') {
      this.#take();
      return [this.#control(kind)];
    }
    this.#close('else');
    const { body, end } = this.#body();
    if (end === 'else') throw this.#error('expected end; found {{else}}');
    return this.#ended(end, body);
  }

  #ended(end: BodyEnd, body: TemplateBody): TemplateBody {
    if (end === 'eof') throw this.#error('unexpected EOF');
    this.#close('end');
    return body;
  }

  #template(): TemplateNode {
    const token = this.#take();
    if (token.kind !== 'string') throw this.#unexpected(token, 'template clause');
    if (this.#peek().kind === 'close') {
      this.#take();
      return { kind: 'template', name: token.text, pipe: undefined, at: token.at };
    }
    return { kind: 'template', name: token.text, pipe: this.#pipe('template clause', 'close'), at: token.at };
  }

  #define(): void {
    if (this.#nesting > 1) throw this.#error('unexpected {{define}}');
    const token = this.#take();
    if (token.kind !== 'string') throw this.#unexpected(token, 'define clause');
    this.#close('define clause');
    this.#definition(token.text);
  }

  #block(): TemplateNode {
    const token = this.#take();
    if (token.kind !== 'string') throw this.#unexpected(token, 'block clause');
    const pipe = this.#pipe('block clause', 'close');
    this.#definition(token.text);
    return { kind: 'template', name: token.text, pipe, at: token.at };
  }

  /** The body of a definition knows no variables from outside. */
  #definition(name: string): void {
    if (this.#defined.has(name))
      throw this.#error(`template: multiple definition of template ${JSON.stringify(name)}`);
    const outside = this.#variables;
    this.#variables = ['$'];
    const { body, end } = this.#body();
    if (end !== 'end') throw this.#error(end === 'eof' ? 'unexpected EOF' : 'unexpected {{else}}');
    this.#close('end');
    this.#variables = outside;
    this.#defined.set(name, body);
  }

  #pipe(context: string, end: 'close' | ')'): Pipe {
    this.#enter();
    const at = this.#peek().at;
    const { variables, assigns } = this.#declaration(context);
    const commands: Command[] = [];
    for (;;) {
      commands.push(this.#command(context, commands.length > 0));
      const token = this.#take();
      if (token.kind === 'punctuation' && token.text === '|') continue;
      const ends =
        end === 'close' ? token.kind === 'close' : token.kind === 'punctuation' && token.text === ')';
      if (!ends) throw this.#unexpected(token, context);
      break;
    }
    if (!assigns) this.#variables.push(...variables);
    return this.#leave({ variables, assigns, commands, at });
  }

  #declaration(context: string): { variables: string[]; assigns: boolean } {
    const start = this.#next;
    const names: string[] = [];
    while (this.#peek().kind === 'variable') {
      names.push(this.#take().text);
      const token = this.#take();
      if (token.kind === 'punctuation' && (token.text === ':=' || token.text === '=')) {
        const assigns = token.text === '=';
        if (names.length > 1 && context !== 'range') throw this.#error(`too many declarations in ${context}`);
        if (assigns) for (const name of names) this.#known(name);
        return { variables: names, assigns };
      }
      const more =
        token.kind === 'punctuation' && token.text === ',' && context === 'range' && names.length < 2;
      if (!more) break;
    }
    this.#next = start;
    return { variables: [], assigns: false };
  }

  #command(context: string, piped: boolean): Command {
    const at = this.#peek().at;
    const first = this.#operand();
    if (first === undefined) {
      const token = this.#peek();
      if (token.kind === 'close' && !piped) throw this.#error(`missing value for ${context}`);
      throw this.#unexpected(token, context);
    }
    if (piped && (first.kind === 'constant' || first.kind === 'nil' || first.kind === 'dot')) {
      throw this.#error('non executable command in pipeline');
    }
    const operands: [Operand, ...Operand[]] = [first];
    for (;;) {
      const token = this.#peek();
      const ends =
        token.kind === 'close' ||
        (token.kind === 'punctuation' && (token.text === '|' || token.text === ')'));
      if (ends) break;
      if (!token.spaceBefore) throw this.#unexpected(token, 'operand');
      const operand = this.#operand();
      if (operand === undefined) throw this.#unexpected(token, 'operand');
      operands.push(operand);
    }
    return { operands, at };
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    const at = token.at;
    switch (token.kind) {
      case 'dot':
        this.#take();
        return { kind: 'dot', at };
      case 'field':
        return { kind: 'field', fields: this.#fields(true), at };
      case 'variable':
        this.#take();
        this.#known(token.text);
        return { kind: 'variable', name: token.text, fields: this.#fields(false), at };
      case 'string':
        this.#take();
        return { kind: 'constant', value: token.text, at };
      case 'character':
        this.#take();
        return { kind: 'constant', value: BigInt(token.text.codePointAt(0) ?? 0), at };
      case 'number':
        this.#take();
        return { kind: 'constant', value: this.#number(token.text), at };
      case 'word':
        this.#take();
        return this.#word(token);
      case 'punctuation': {
        if (token.text !== '(') return undefined;
        this.#take();
        const scope = this.#variables.length;
        const pipe = this.#pipe('parenthesized pipeline', ')');
        this.#variables.length = scope;
        return { kind: 'pipe', pipe, fields: this.#fields(false), at };
      }
      case 'text':
      case 'open':
      case 'close':
      case 'end':
        return undefined;
    }
  }

  #word({ text, at }: TemplateToken): Operand {
    if (text === 'true' || text === 'false') return { kind: 'constant', value: text === 'true', at };
    if (text === 'nil') return { kind: 'nil', at };
    if (!this.#options.functions.has(text))
      throw new TemplateSyntaxError(`function ${JSON.stringify(text)} not defined`, at);
    return { kind: 'function', name: text, at };
  }

  /** `.A.B`, written without spaces. */
  #fields(first: boolean): string[] {
    const fields: string[] = [];
    while (this.#peek().kind === 'field' && (!this.#peek().spaceBefore || (first && fields.length === 0))) {
      fields.push(this.#take().text);
    }
    return fields;
  }

  #number(text: string): number | bigint {
    const plain = text.replaceAll('_', '');
    const digits = plain.replace(/^[-+]/, '');
    if (/^(?:\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(digits)) {
      const magnitude = /^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits;
      if (/^0o.*[89]/.test(magnitude)) throw this.#error(`bad number syntax: ${JSON.stringify(text)}`);
      return plain.startsWith('-') ? -BigInt(magnitude) : BigInt(magnitude);
    }
    const value = Number(plain);
    if (Number.isNaN(value)) throw this.#error(`bad number syntax: ${JSON.stringify(text)}`);
    return value;
  }

  #known(name: string): void {
    if (!this.#variables.includes(name)) throw this.#error(`undefined variable ${JSON.stringify(name)}`);
  }

  #close(context: string): void {
    const token = this.#take();
    if (token.kind !== 'close') throw this.#unexpected(token, context);
  }

  #enter(): void {
    if (++this.#nesting > NESTING_MAX) throw this.#error(`nested deeper than ${NESTING_MAX} levels`);
  }

  #leave<T>(result: T): T {
    this.#nesting--;
    return result;
  }

  #peek(): TemplateToken {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!;
  }

  #take(): TemplateToken {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #unexpected(token: TemplateToken, context: string): TemplateSyntaxError {
    const what = token.kind === 'end' ? 'EOF' : `<${token.kind === 'field' ? '.' : ''}${token.text}>`;
    return new TemplateSyntaxError(`unexpected ${what} in ${context}`, token.at);
  }

  #error(message: string): TemplateSyntaxError {
    return new TemplateSyntaxError(message, this.#peek().at);
  }
}
