import type { CharSet } from '../pattern/char-set.ts';
import { complement } from '../pattern/char-set.ts';
import { LAST_CODE_POINT } from './code-set.ts';
import { POSIX_CLASSES } from './posix-class.ts';

const known = new Map<string, CharSet | undefined>();

/** `\p{Alpha}`: ASCII in Java, Unicode elsewhere. The keys are in lower case. */
export function asciiProperty(name: string): CharSet | undefined {
  return name.toLowerCase() === 'ascii' || !Object.hasOwn(POSIX_CLASSES, name.toLowerCase())
    ? undefined
    : POSIX_CLASSES[name.toLowerCase()];
}

/** The code points of a Unicode property, taken from V8 once; undefined for a name that it does not have. */
export function propertySet(name: string): CharSet | undefined {
  if (name.startsWith('^')) {
    const set = propertySet(name.slice(1));
    return set === undefined ? undefined : complement(set, LAST_CODE_POINT);
  }
  if (known.has(name)) return known.get(name);
  const set = take(name);
  known.set(name, set);
  return set;
}

function take(name: string): CharSet | undefined {
  if (!/^[A-Za-z][\w=:\- ]*$/.test(name)) return undefined;
  for (const spelling of spellings(name)) {
    try {
      return collect(new RegExp(`^\\p{${spelling}}$`, 'u'));
    } catch {
      // V8 has no property of that name.
    }
  }
  return undefined;
}

/** Names as V8 wants them: `greek`, `IsGreek` and `script=Greek` are all `Script=Greek`. */
function* spellings(name: string): Generator<string> {
  yield name;
  const [key, value] = name.split(/[=:]/, 2);
  if (value !== undefined) {
    const long = { script: 'Script', sc: 'sc', gc: 'gc', general_category: 'gc', scx: 'scx' }[
      key!.toLowerCase()
    ];
    if (long !== undefined) for (const one of [value, titled(value)]) yield `${long}=${one}`;
    return;
  }
  for (const one of [name, ...(/^Is[A-Z]/i.test(name) ? [name.slice(2)] : [])]) {
    yield one;
    yield titled(one);
    yield `Script=${one}`;
    yield `Script=${titled(one)}`;
  }
}

function titled(name: string): string {
  return name
    .split(/[_ -]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join('_');
}

function collect(one: RegExp): CharSet {
  const set: number[] = [];
  for (let point = 0; point <= LAST_CODE_POINT; point++) {
    if (!one.test(String.fromCodePoint(point))) continue;
    if (set.length > 0 && set.at(-1) === point - 1) set[set.length - 1] = point;
    else set.push(point, point);
  }
  return set;
}
