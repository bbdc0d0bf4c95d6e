import { attackReport, findAttack } from './attack.ts';
import type { Attack } from './attack.ts';
import type { Pattern } from './parse-pattern.ts';
import { compileMatcher, linearObstacle } from './pattern-matcher.ts';

/** What the author of a pattern should know about how it is run. */
export interface PatternNote {
  readonly message: string;
  readonly attack?: Attack;
}

/** What is not wrong with the pattern and not as its author may expect: its meaning, and how fast it is. */
export function patternNotes(pattern: Pattern, unsafe: boolean): readonly PatternNote[] {
  const slow = slowness(pattern, unsafe);
  return [...pattern.notes, ...(slow === undefined ? [] : [slow])];
}

/** Undefined where the pattern runs on V8 and no short line is known to make it backtrack much. */
function slowness(pattern: Pattern, unsafe: boolean): PatternNote | undefined {
  const attack = findAttack(pattern);
  const attacked = attack === undefined ? {} : { attack };
  const { engine } = compileMatcher(pattern, unsafe);
  const obstacle = linearObstacle(pattern);
  if (engine === 're2js') {
    const reason = `runs on re2js, which is several times slower than V8: V8's linear engine does not cover ${obstacle}`;
    return { message: attack === undefined ? reason : `${reason}; ${attackReport(attack)}`, ...attacked };
  }
  if (obstacle !== undefined) {
    const reason = `runs without protection, as unsafe: true says: ${obstacle} cannot be run in linear time`;
    return { message: `${reason}; ${attackReport(attack)}`, ...attacked };
  }
  if (attack === undefined) return undefined;
  return {
    message: `is slow on some lines, which go to V8's linear engine after a while: ${attackReport(attack)}`,
    attack,
  };
}
