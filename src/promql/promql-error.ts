/** Offsets into the expression's text, in UTF-16 units; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong with an expression, or why it cannot be answered. The message of a parse error begins with
 * line:column and reads as Prometheus prints it; `position` is where in the text the mistake lies.
 */
export class PromqlError extends Error {
  override readonly name = 'PromqlError';
  readonly kind: 'parse' | 'evaluation' | 'timeout' | 'limit' | 'cancelled';
  readonly position: TextRange;

  constructor(kind: PromqlError['kind'], message: string, position: TextRange = { start: 0, end: 0 }) {
    super(message);
    this.kind = kind;
    this.position = { start: position.start, end: position.end };
  }
}

export function parseError(text: string, position: TextRange, message: string): PromqlError {
  return new PromqlError(
    'parse',
    `${lineAndColumn(text, position.start)}: parse error: ${message}`,
    position,
  );
}

/** `1:5`, both counted from one. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `${line}:${offset - before.lastIndexOf('\n')}`;
}
