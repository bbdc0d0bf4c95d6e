import type { DialectName, PackMultiline } from '../config/pack-schema.ts';
import { SafeRegex, compileSafeRegex } from './pattern/safe-regex.ts';
import type { Reading } from './pattern/safe-regex.ts';
import { stackTraceContinuation } from './trace/stack-trace.ts';

/** Decides whether a line belongs to the event before it. May remember what it saw of the event. */
export interface Continuation {
  begin(first: string): void;
  continues(line: string): boolean;
}

export function compileContinuation(multiline: PackMultiline, dialect?: DialectName): Continuation {
  // Each is held against one line.
  const reading: Reading = { dialect };
  const start = multiline.start === undefined ? undefined : compileSafeRegex(multiline.start, reading);
  const others: Continuation[] = [];
  if (multiline.continuation !== undefined)
    others.push(stateless(compileSafeRegex(multiline.continuation, reading)));
  if (multiline.indent === true) others.push(stateless(new SafeRegex('^[ \\t]', '')));
  for (const language of multiline.stacktrace ?? [])
    others.push(stackTraceContinuation(language, start !== undefined));
  return {
    begin(first) {
      for (const other of others) other.begin(first);
    },
    continues(line) {
      if (start?.test(line) === true) return false;
      if (others.length === 0) return true;
      let belongs = false;
      // Each sees each line: some keep count of where in a trace they are.
      for (const other of others) if (other.continues(line)) belongs = true;
      return belongs;
    },
  };
}

function stateless(regex: SafeRegex): Continuation {
  return { begin() {}, continues: (line) => regex.test(line) };
}
