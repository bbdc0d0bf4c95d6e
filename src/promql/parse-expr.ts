import { didYouMean } from '../model/did-you-mean.ts';
import {
  type AggregateOp,
  type Binary,
  type BinaryOp,
  childrenOf,
  type Expr,
  unwrap,
  type VectorMatching,
} from './ast.ts';
import { checkTypes } from './check-types.ts';
import { FUNCTION_SIGNATURES, refusalOf } from './function-signatures.ts';
import { isPlainLabelName, quoteGoString, unquoteGoString } from './go-string.ts';
import { type Token, tokenize } from './lexer.ts';
import { parseModifiers } from './parse-modifiers.ts';
import { parseSelector } from './parse-selector.ts';
import { parseError } from './promql-error.ts';
import { isAggregator, TokenCursor } from './token-cursor.ts';

/** Longer than any rule that a person writes; it bounds what a remote query can make us do. */
const MAX_TEXT_LENGTH = 100_000;
/** Nodes on the longest path from the root; it bounds the stack of everything that walks a tree. */
const MAX_DEPTH = 500;
const MAX_NESTING = 200;

/**
 * How tightly operators bind. A unary minus stands between `*` and `^`: -2^2 is -(2^2), while -a*b is (-a)*b.
 */
const PRECEDENCE: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};

const UNARY_PRECEDENCE = 6;

/** Reads a PromQL expression and checks its types. Throws a PromqlError that says where the mistake lies. */
export function parseExpr(text: string): Expr {
  if (text.length > MAX_TEXT_LENGTH) {
    throw parseError(
      text,
      { start: 0, end: 0 },
      `expression has ${text.length} characters; at most ${MAX_TEXT_LENGTH}`,
    );
  }
  const expr = new ExprParser(text, tokenize(text)).parse();
  checkTypes(text, expr);
  sources.set(expr, text);
  return expr;
}

const sources = new WeakMap<Expr, string>();

/** The text that an expression was parsed from, which its positions refer to. */
export function sourceOf(expr: Expr): string | undefined {
  return sources.get(expr);
}

function unknownFunction(name: string): string {
  const meant = didYouMean(name, FUNCTION_SIGNATURES.keys());
  const hint = meant === undefined ? '' : ` (did you mean ${quoteGoString(meant)}?)`;
  return `unknown function with name ${quoteGoString(name)}${hint}`;
}

class ExprParser {
  readonly #cursor: TokenCursor;
  readonly #depths = new Map<Expr, number>();
  #nesting = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#cursor = new TokenCursor(text, tokens);
  }

  parse(): Expr {
    if (this.#cursor.atEnd) this.#cursor.fail(this.#cursor.current, 'no expression found in input');
    const expr = this.#expr(0);
    if (!this.#cursor.atEnd) this.#cursor.unexpected('');
    return expr;
  }

  #expr(minimum: number): Expr {
    if (++this.#nesting > MAX_NESTING) {
      this.#cursor.fail(this.#cursor.current, `expression is nested more than ${MAX_NESTING} levels deep`);
    }
    let left = this.#prefix();
    for (;;) {
      const op = this.#binaryOp();
      if (op === undefined || PRECEDENCE[op] < minimum) break;
      left = this.#binary(left, op);
    }
    this.#nesting--;
    return left;
  }

  #binary(left: Expr, op: BinaryOp): Expr {
    const opToken = this.#cursor.next();
    const bool = this.#cursor.takeKeyword('bool');
    const matching = this.#matching();
    const rightAssociative = op === '^';
    const right = this.#expr(PRECEDENCE[op] + (rightAssociative ? 0 : 1));
    const position = { start: left.position.start, end: right.position.end };
    const opPosition = { start: opToken.start, end: opToken.end };
    return this.#bounded({
      kind: 'binary',
      op,
      left,
      right,
      bool,
      matching,
      opPosition,
      position,
    } satisfies Binary);
  }

  #binaryOp(): BinaryOp | undefined {
    const { kind, text } = this.#cursor.current;
    if (kind !== 'operator' && kind !== 'identifier') return undefined;
    const op = kind === 'identifier' ? text.toLowerCase() : text;
    if (op === '</' || op === '>/') {
      this.#cursor.fail(
        this.#cursor.current,
        `operator ${op} trims native histograms, which are not supported`,
      );
    }
    return Object.hasOwn(PRECEDENCE, op) ? (op as BinaryOp) : undefined;
  }

  #matching(): VectorMatching {
    const cursor = this.#cursor;
    const on = cursor.takeKeyword('on');
    if (!on && !cursor.takeKeyword('ignoring')) {
      this.#refuseFill();
      return { on: false, labels: [], cardinality: 'one-to-one', include: [] };
    }
    const labels = this.#labelList();
    let cardinality: VectorMatching['cardinality'] = 'one-to-one';
    let include: readonly string[] = [];
    if (cursor.isKeyword('group_left') || cursor.isKeyword('group_right')) {
      cardinality = cursor.next().text.toLowerCase() === 'group_left' ? 'many-to-one' : 'one-to-many';
      if (cursor.isOperator('(')) include = this.#labelList();
    }
    this.#refuseFill();
    return { on, labels, cardinality, include };
  }

  #refuseFill(): void {
    const { current } = this.#cursor;
    if (!/^fill(_left|_right)?$/i.test(current.text) || this.#cursor.ahead().text !== '(') return;
    this.#cursor.fail(
      current,
      `binary operator modifier "${current.text}" is experimental in Prometheus and not supported`,
    );
  }

  #labelList(): readonly string[] {
    const context = 'grouping opts';
    this.#cursor.expectOperator('(', context);
    const labels: string[] = [];
    while (!this.#cursor.isOperator(')')) {
      labels.push(this.#groupingLabel(context));
      if (!this.#cursor.takeOperator(',')) break;
    }
    if (!this.#cursor.isOperator(')')) this.#cursor.unexpected(context, '"," or ")"');
    this.#cursor.next();
    return labels;
  }

  #groupingLabel(context: string): string {
    const token = this.#cursor.current;
    if (token.kind === 'string') return this.#unquote(this.#cursor.next());
    if (token.kind !== 'identifier' || !isPlainLabelName(token.text))
      this.#cursor.unexpected(context, 'label');
    return this.#cursor.next().text;
  }

  #prefix(): Expr {
    const cursor = this.#cursor;
    if (!cursor.isOperator('-') && !cursor.isOperator('+'))
      return this.#bounded(parseModifiers(cursor, this.#primary()));
    const sign = cursor.next();
    const expr = this.#expr(UNARY_PRECEDENCE);
    const position = { start: sign.start, end: expr.position.end };
    if (expr.kind === 'number')
      return { kind: 'number', value: sign.text === '-' ? -expr.value : expr.value, position };
    return this.#bounded({ kind: 'unary', op: sign.text as '+' | '-', expr, position });
  }

  #primary(): Expr {
    const cursor = this.#cursor;
    const token = cursor.current;
    const position = { start: token.start, end: token.end };
    switch (token.kind) {
      case 'number':
      case 'duration':
        cursor.next();
        return { kind: 'number', value: token.value, position };
      case 'string':
        return { kind: 'string', value: this.#unquote(cursor.next()), position };
      case 'identifier':
        return this.#word(token);
      case 'operator':
        if (token.text === '(') return this.#paren();
        if (token.text === '{') return parseSelector(cursor);
        return cursor.unexpected('');
      case 'end':
        return cursor.unexpected('');
    }
  }

  #paren(): Expr {
    const open = this.#cursor.next();
    const expr = this.#expr(0);
    const close = this.#cursor.expectOperator(')', 'paren expression');
    return this.#bounded({ kind: 'paren', expr, position: { start: open.start, end: close.end } });
  }

  /** An identifier begins a number, an aggregation, a call, or else names a metric. */
  #word(token: Token): Expr {
    const word = token.text.toLowerCase();
    const after = this.#cursor.ahead();
    if ((word === 'inf' || word === 'nan') && after.text !== '{') {
      this.#cursor.next();
      const value = word === 'inf' ? Number.POSITIVE_INFINITY : Number.NaN;
      return { kind: 'number', value, position: { start: token.start, end: token.end } };
    }
    if (isAggregator(word) && (after.text === '(' || /^(by|without)$/i.test(after.text)))
      return this.#aggregate();
    if (/^(on|ignoring|group_left|group_right|bool|atan2)$/.test(word)) this.#cursor.unexpected('');
    if (after.text === '(' && after.kind === 'operator') return this.#call();
    return parseSelector(this.#cursor);
  }

  #call(): Expr {
    const token = this.#cursor.next();
    if (!FUNCTION_SIGNATURES.has(token.text))
      this.#cursor.fail(token, refusalOf(token.text) ?? unknownFunction(token.text));
    const args = this.#args('function call');
    return this.#bounded({
      kind: 'call',
      name: token.text,
      args,
      position: { start: token.start, end: this.#cursor.lastEnd },
    });
  }

  #args(context: string): readonly Expr[] {
    this.#cursor.expectOperator('(', context);
    const args: Expr[] = [];
    while (!this.#cursor.isOperator(')')) {
      args.push(this.#expr(0));
      if (!this.#cursor.takeOperator(',')) break;
      if (this.#cursor.isOperator(')')) {
        this.#cursor.fail(this.#cursor.current, 'trailing commas not allowed in function call args');
      }
    }
    if (!this.#cursor.isOperator(')')) this.#cursor.unexpected(context, '"," or ")"');
    this.#cursor.next();
    return args;
  }

  #aggregate(): Expr {
    const token = this.#cursor.next();
    const op = token.text.toLowerCase();
    const before = this.#grouping();
    const args = this.#args('aggregation');
    const grouping = before ?? this.#grouping() ?? { without: false, labels: [] };
    const position = { start: token.start, end: this.#cursor.lastEnd };
    const refusal = refusalOf(op);
    if (refusal !== undefined) this.#cursor.fail(position, refusal.replace('function', 'aggregation'));
    if (args.length === 0) this.#cursor.fail(position, 'no arguments for aggregate expression provided');
    const wanted = ['topk', 'bottomk', 'quantile', 'count_values'].includes(op) ? 2 : 1;
    if (args.length !== wanted) {
      this.#cursor.fail(
        position,
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
      );
    }
    return this.#bounded({
      kind: 'aggregate',
      op: op as AggregateOp,
      expr: args[wanted - 1]!,
      ...(wanted === 2 ? { param: args[0]! } : {}),
      without: grouping.without,
      grouping: grouping.labels,
      position,
    });
  }

  #grouping(): { readonly without: boolean; readonly labels: readonly string[] } | undefined {
    const without = this.#cursor.takeKeyword('without');
    if (!without && !this.#cursor.takeKeyword('by')) return undefined;
    return { without, labels: this.#labelList() };
  }

  #unquote(token: Token): string {
    try {
      return unquoteGoString(token.text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.#cursor.fail(token, `error unquoting string ${quoteGoString(token.text)}: ${why}`);
    }
  }

  #bounded<T extends Expr>(expr: T): T {
    const depth = 1 + Math.max(0, ...childrenOf(expr).map((child) => this.#depths.get(child) ?? 1));
    if (depth > MAX_DEPTH)
      this.#cursor.fail(unwrap(expr).position, `expression is more than ${MAX_DEPTH} levels deep`);
    this.#depths.set(expr, depth);
    return expr;
  }
}
