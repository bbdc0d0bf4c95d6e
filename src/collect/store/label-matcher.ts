import { RE2JS } from 're2js';
import type { Matcher } from '../../model/series.ts';

/** A matcher as a test of one value. Regular expressions are anchored, and run in linear time: they come from outside. */
export function labelMatcher({ kind, value }: Matcher): (text: string) => boolean {
  switch (kind) {
    case '=':
      return (text) => text === value;
    case '!=':
      return (text) => text !== value;
    case '=~':
    case '!~': {
      const pattern = RE2JS.compile(value, RE2JS.DOTALL);
      const wanted = kind === '=~';
      const known = new Map<string, boolean>();
      return (text) => {
        let matches = known.get(text);
        if (matches === undefined) {
          matches = pattern.matches(text) === wanted;
          known.set(text, matches);
        }
        return matches;
      };
    }
  }
}
