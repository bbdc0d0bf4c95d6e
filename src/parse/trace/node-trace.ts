import type { Continuation } from '../multiline.ts';
import { lineTest } from './trace.ts';

const isFrame = lineTest(
  /^(?:[ \t]+at |[ \t]+\[(?:cause|errors|stack)\]|[ \t]*(?:code|errno|syscall|path|address|port): |[ \t]*\}$|[A-Z]\w*Error(?: \[\w+\])?:|[ \t]*\^+$|[ \t]+\.\.\. \d+ lines matching )/,
);
const isCaret = lineTest(/^[ \t]*\^+[ \t]*$/);
/** `/app/a.js:7`: where Node shows the line of source that threw. */
const isPlace = lineTest(/^(?:file:\/\/|node:|\/|[A-Za-z]:\\|\.{0,2}\/)\S*:\d+$/);
const isVersion = lineTest(/^Node\.js v\d/);
/** The message that stands between the caret and the first frame. */
const SOURCE_MAX = 6;

type State =
  | { readonly kind: 'plain' }
  /** After the place, up to the caret below the line of source. */
  | { readonly kind: 'source'; readonly left: number }
  /** After the caret: empty lines, the error, frames, the version. */
  | { readonly kind: 'thrown'; readonly seen: boolean }
  /** In the properties of an error, up to the brace that closes them. */
  | { readonly kind: 'properties'; readonly behind: 'plain' | 'thrown' };

/** Node: frames, causes, properties in braces, and the block with the line of source of an error that nobody caught. */
export function nodeTrace(): Continuation {
  let state: State = { kind: 'plain' };
  const frame = (line: string, behind: 'plain' | 'thrown'): boolean => {
    if (/^[ \t]+(?:at |\[).*\{$/.test(line)) state = { kind: 'properties', behind };
    return true;
  };
  return {
    begin(first) {
      state = isPlace(first) ? { kind: 'source', left: SOURCE_MAX } : { kind: 'plain' };
    },
    continues(line) {
      switch (state.kind) {
        case 'source':
          if (isCaret(line)) state = { kind: 'thrown', seen: false };
          else if (state.left === 1) state = { kind: 'plain' };
          else state = { kind: 'source', left: state.left - 1 };
          return state.kind !== 'plain';
        case 'properties':
          if (line.startsWith('}'))
            state = state.behind === 'thrown' ? { kind: 'thrown', seen: true } : { kind: 'plain' };
          return true;
        case 'thrown':
          if (isVersion(line)) {
            state = { kind: 'plain' };
            return true;
          }
          if (line === '') return true;
          if (isFrame(line)) return frame(line, 'thrown');
          // The error itself, of one line or several.
          if (state.seen) return false;
          state = { kind: 'thrown', seen: /^[ \t]/.test(line) };
          return true;
        case 'plain':
          return isFrame(line) && frame(line, 'plain');
      }
    },
  };
}
