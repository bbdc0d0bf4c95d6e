import type { Continuation } from '../multiline.ts';
import { lineTest } from './trace.ts';

const isFrame = lineTest(
  /^(?:Traceback \(most recent call last\):|[ \t]+\S|During handling of the above exception|The above exception was)/,
);
/** The tree of an exception group is drawn with `|` and `+`. */
const isGroup = lineTest(/^[ \t]+(?:\+|\|) /);
const isException = lineTest(/^[A-Za-z_][\w.]*(?::|$)/);

/**
 * Python's tracebacks, chained ones and exception groups. The exception itself is the line behind the frames that is not
 * indented. What follows it (notes, further lines of its message) looks like any other line: it belongs to the event only
 * where `hasStart` says that events begin with something else.
 */
export function pythonTrace(hasStart: boolean): Continuation {
  /** A line of a trace has been seen in this event. */
  let inside = false;
  /** The last line was a frame: the exception comes next. */
  let indented = false;
  /** The exception has been read. */
  let raised = false;
  return {
    begin(first) {
      inside = isGroup(first) || (isFrame(first) && !/^[ \t]/.test(first));
      indented = raised = false;
    },
    continues(line) {
      if (isFrame(line)) {
        inside = true;
        indented = /^[ \t]/.test(line);
        return true;
      }
      if (inside && line === '') return true;
      const exception = inside && indented && isException(line);
      indented = false;
      raised ||= exception;
      return exception || (raised && hasStart);
    },
  };
}
