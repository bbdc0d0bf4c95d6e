/** A place in the text of a query. Both are counted from one; the column in characters. */
export interface QueryPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * What is wrong with a query, or why it cannot be answered. The text of a parse error begins with "parse error",
 * which clients look for; where the mistake has a place, it names line and column and shows the line with a caret.
 */
export class LogqlError extends Error {
  override readonly name = 'LogqlError';
  readonly kind: 'parse' | 'pipeline' | 'evaluation' | 'limit' | 'cancelled' | 'timeout';
  readonly place: QueryPlace | undefined;

  constructor(kind: LogqlError['kind'], message: string, place?: QueryPlace) {
    super(message);
    this.kind = kind;
    this.place = place;
  }
}

/**
 * A mistake at an offset of the query. Clients look for "line L, col C" and go there. Before a token of several characters
 * (`==`, `[5m]`) Loki counts lines from 0; `short` writes the true place in a way that nobody takes for Loki's.
 */
export function syntaxError(query: string, offset: number, message: string, short = false): LogqlError {
  const place = placeOf(query, offset);
  const shown = short ? `${place.line}:${place.column}` : `line ${place.line}, col ${place.column}`;
  const head = `parse error at ${shown}: ${message}`;
  return new LogqlError('parse', `${head}\n${caret(query, offset)}`, place);
}

/** A query that is well formed and means nothing. */
export function meaninglessError(message: string): LogqlError {
  return new LogqlError('parse', `parse error : ${message}`);
}

function placeOf(query: string, offset: number): QueryPlace {
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}

/** Characters of a line that are shown on either side of a mistake. */
const SHOWN = 60;

function caret(query: string, offset: number): string {
  const lineStart = query.lastIndexOf('\n', offset - 1) + 1;
  const newline = query.indexOf('\n', offset);
  const lineEnd = newline < 0 ? query.length : newline;
  const from = Math.max(lineStart, offset - SHOWN);
  const shown = query.slice(from, Math.min(lineEnd, offset + SHOWN));
  return `${shown}\n${' '.repeat(offset - from)}^`;
}
