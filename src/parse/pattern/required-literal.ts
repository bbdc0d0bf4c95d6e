import type { AST } from '@eslint-community/regexpp';
import type { Pattern } from './parse-pattern.ts';

/** Shorter ones are on too many lines to be worth a search. */
const LENGTH_MIN = 3;

/** The longest text that stands in every match as it is; undefined where there is none worth searching for. */
export function requiredLiteral({ ast, flags }: Pattern): string | undefined {
  if (flags.includes('i')) return undefined;
  const runs = new Runs();
  collect(ast.alternatives, runs);
  runs.cut();
  return runs.longest.length >= LENGTH_MIN ? runs.longest : undefined;
}

/** Characters that follow each other directly. */
class Runs {
  longest = '';
  #current = '';

  push(text: string): void {
    this.#current += text;
  }

  cut(): void {
    if (this.#current.length > this.longest.length) this.longest = this.#current;
    this.#current = '';
  }
}

function collect(alternatives: readonly AST.Alternative[], runs: Runs): void {
  // What stands in one alternative only is not in every match.
  if (alternatives.length !== 1) return runs.cut();
  for (const element of alternatives[0]!.elements) visit(element, runs);
}

function visit(element: AST.Element, runs: Runs): void {
  switch (element.type) {
    case 'Character':
      // A newline is in no line.
      return element.value === 0x0a || element.value > 0xffff
        ? runs.cut()
        : runs.push(String.fromCharCode(element.value));
    case 'Group':
    case 'CapturingGroup':
      return collect(element.alternatives, runs);
    case 'Quantifier':
      if (element.min === 0) return runs.cut();
      if (element.max === 1) return visit(element.element, runs);
      // One repetition is there; what comes before and after it need not touch it.
      runs.cut();
      visit(element.element, runs);
      return runs.cut();
    case 'Assertion':
      if (element.kind === 'lookahead' || element.kind === 'lookbehind') runs.cut();
      return;
    case 'CharacterSet':
    case 'CharacterClass':
    case 'ExpressionCharacterClass':
    case 'Backreference':
      return runs.cut();
  }
}
