import type { AST } from '@eslint-community/regexpp';
import { automatonOf } from './automaton.ts';
import type { Pattern } from './parse-pattern.ts';
import { findPumps } from './pumps.ts';
import type { Pump } from './pumps.ts';
import { StepCounter } from './step-counter.ts';

/** A line that a backtracking engine needs very long for, though it is short. */
export interface Attack {
  /** The part of the expression that can read it in too many ways, and its column. */
  readonly part: string;
  readonly line: string;
  /** The line as an expression that can be pasted: `"a".repeat(30) + "!"`. */
  readonly script: string;
}

/** An attack takes more steps than this on a line of this length: what is quadratic there is no attack. */
const ATTACK_STEPS = 200_000;
const LINE_LENGTH = 300;
const REPEATS = 30;
const MORE_REPEATS = [100, LINE_LENGTH];
/** What is spent in all on trying what was found. */
const STEPS_IN_ALL = 2_000_000;
/** What a line may end with so that the pattern fails and goes back; then what the pattern itself names. */
const ENDINGS = ['', '!', '"', ' ', '\u0001'];
const OWN_ENDINGS_MAX = 8;

/**
 * Looks for parts of an expression that read one text in many ways, and tries what it finds: what is given does take
 * that many steps. That nothing is found proves nothing.
 */
export function findAttack(pattern: Pattern): Attack | undefined {
  const automaton = automatonOf(pattern);
  if (automaton === undefined) return undefined;
  const counter = new StepCounter(pattern);
  const endings = [...new Set([...ENDINGS, ...ownEndings(pattern)])];
  let left = STEPS_IN_ALL;
  for (const pump of findPumps(automaton)) {
    const most = Math.floor((LINE_LENGTH - pump.prefix.length) / pump.unit.length);
    let worst: Attempt = { prefix: '', unit: pump.unit, repeats: 0, ending: '' };
    let worstSteps = 0;
    for (const prefix of new Set(['', pump.prefix])) {
      for (const ending of endings) {
        const attempt = { ...worst, prefix, ending, repeats: Math.min(REPEATS, most) };
        const steps = counter.count(lineOf(attempt), ATTACK_STEPS);
        if (steps > ATTACK_STEPS) return attackOf(pattern, pump, attempt);
        left -= steps;
        if (steps > worstSteps) [worst, worstSteps] = [attempt, steps];
      }
    }
    // The line that is worst when it is short is tried longer.
    for (const repeats of MORE_REPEATS) {
      const attempt = { ...worst, repeats: Math.min(repeats, most) };
      const steps = counter.count(lineOf(attempt), ATTACK_STEPS);
      if (steps > ATTACK_STEPS) return attackOf(pattern, pump, attempt);
      left -= steps;
    }
    if (left < 0) return undefined;
  }
  return undefined;
}

interface Attempt {
  readonly prefix: string;
  readonly unit: string;
  readonly repeats: number;
  readonly ending: string;
}

function lineOf({ prefix, unit, repeats, ending }: Attempt): string {
  return prefix + unit.repeat(Math.max(0, repeats)) + ending;
}

/** As a part of a sentence. */
export function attackReport(attack: Attack | undefined): string {
  return attack === undefined
    ? 'no short line is known that would make it slow, and none can be ruled out'
    : `${attack.part} can read the line ${attack.script} in so many ways that a backtracking engine is lost in it`;
}

function attackOf({ shown }: Pattern, { start, end }: Pump, attempt: Attempt): Attack {
  const { prefix, unit, repeats, ending } = attempt;
  const parts = [
    ...(prefix === '' ? [] : [JSON.stringify(prefix)]),
    `${JSON.stringify(unit)}.repeat(${repeats})`,
    ...(ending === '' ? [] : [JSON.stringify(ending)]),
  ];
  return {
    part: shown({ start, end }),
    line: lineOf(attempt),
    script: parts.join(' + '),
  };
}

/** Characters that the expression names: one that a class leaves out is often what makes it fail. */
function ownEndings({ ast }: Pattern): readonly string[] {
  const found = new Set<string>();
  const visit = (node: AST.Node): void => {
    if (node.type === 'Character' && node.value !== 10 && node.value <= 0xffff)
      found.add(String.fromCharCode(node.value));
    if ('element' in node) visit(node.element);
    if ('elements' in node) for (const one of node.elements) visit(one);
    if ('alternatives' in node) for (const one of node.alternatives) visit(one);
  };
  visit(ast);
  return [...found].slice(0, OWN_ENDINGS_MAX);
}
