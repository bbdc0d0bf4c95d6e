import type { Condition, FieldTest } from '../config/pack-schema.ts';
import { compileSafeRegex } from './pattern/safe-regex.ts';
import type { Reading } from './pattern/safe-regex.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';

export type Test = (row: Row) => boolean;

/** A closed little language: see `when` in docs/PACKS.md. */
export function compileCondition(condition: Condition, fields: FieldTable, reading: Reading): Test {
  if (Array.isArray(condition)) {
    const any = condition.map((one) => compileCondition(one, fields, reading));
    return (row) => any.some((test) => test(row));
  }
  const all = Object.entries(condition).map(([field, test]) => {
    const slot = fields.declare(field);
    const check = compileTest(test, reading);
    return (row: Row) => check(row.values[slot]);
  });
  return all.length === 1 ? all[0]! : (row) => all.every((test) => test(row));
}

type Check = (value: FieldValue | undefined) => boolean;

function compileTest(test: FieldTest, reading: Reading): Check {
  if (Array.isArray(test)) {
    const wanted = new Set(test.map(String));
    return (value) => value !== undefined && wanted.has(String(value));
  }
  if (typeof test !== 'object') {
    const wanted = String(test);
    return (value) => value !== undefined && String(value) === wanted;
  }
  const checks: Check[] = [];
  const onText = (check: (text: string) => boolean) =>
    checks.push((value) => value !== undefined && check(String(value)));
  const onNumber = (check: (value: number) => boolean) =>
    checks.push((value) => value !== undefined && value !== '' && check(Number(value)));
  if (test.is !== undefined) checks.push(compileTest(test.is, reading));
  if (test.not !== undefined) checks.push(negate(compileTest(test.not, reading)));
  if (test.in !== undefined) checks.push(compileTest(test.in, reading));
  if (test.not_in !== undefined) checks.push(negate(compileTest(test.not_in, reading)));
  if (test.matches !== undefined) onText(matcher(test.matches, reading));
  if (test.not_matches !== undefined) checks.push(negate(textCheck(matcher(test.not_matches, reading))));
  if (test.contains !== undefined) onText((text) => text.includes(test.contains!));
  if (test.starts_with !== undefined) onText((text) => text.startsWith(test.starts_with!));
  if (test.ends_with !== undefined) onText((text) => text.endsWith(test.ends_with!));
  if (test.above !== undefined) onNumber((value) => value > test.above!);
  if (test.at_least !== undefined) onNumber((value) => value >= test.at_least!);
  if (test.below !== undefined) onNumber((value) => value < test.below!);
  if (test.at_most !== undefined) onNumber((value) => value <= test.at_most!);
  if (test.exists !== undefined)
    checks.push((value) => (value !== undefined && value !== '') === test.exists);
  return (value) => checks.every((check) => check(value));
}

function matcher(source: string, reading: Reading): (text: string) => boolean {
  const regex = compileSafeRegex(source, reading);
  return (text) => regex.test(text);
}

function textCheck(check: (text: string) => boolean): Check {
  return (value) => value !== undefined && check(String(value));
}

function negate(check: Check): Check {
  return (value) => !check(value);
}
