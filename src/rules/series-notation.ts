import type { Labels } from '../model/series.ts';
import { unquoteGoString } from '../promql/go-string.ts';

/** One value of a series written in promtool's notation; undefined where none is (`_`). */
export type NotedValue = { readonly value: number; readonly stale: boolean } | undefined;

/** Values that follow each other: `count` of them, each the one before plus `step`, or gaps where there is no start. */
interface Run {
  readonly start: NotedValue;
  readonly step: number;
  readonly count: number;
}

/** No hexadecimal numbers: `0x10` is eleven times 0. A word ends at a sign or a space: `infx3` is a word of its own. */
const DIGITS = String.raw`(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)`;
const WORD = String.raw`(?:[iI][nN][fF]|[nN][aA][nN])`;
const ITEM = new RegExp(
  String.raw`^(?:([-+]?${DIGITS}|[-+]?${WORD}(?![a-zA-Z0-9_])|stale(?![a-zA-Z0-9_]))(?:([-+]${DIGITS}))?|_)(?:x(\d+))?$`,
);

/**
 * `1+2x3` is 1 3 5 7, `1x2` is 1 1 1, `_x3` is three gaps, `stale` ends the series. A run may be as long as it likes:
 * values are worked out as they are asked for. Throws an Error that names the part that it cannot read.
 */
export function parseSeriesValues(text: string): Iterable<NotedValue> {
  if (text.includes('{{')) throw new Error('native histograms are not supported');
  const items = text.split(/[ \t\r\n]+/).filter((part) => part !== '');
  const runs = items.map(parseItem);
  return {
    *[Symbol.iterator]() {
      for (const run of runs) yield* valuesOf(run);
    },
  };
}

function* valuesOf({ start, step, count }: Run): Generator<NotedValue> {
  let noted = start;
  for (let i = 0; i < count; i++) {
    yield noted;
    // Added up one by one, as promtool does, so that the rounding is the same.
    if (noted !== undefined && step !== 0) noted = { value: noted.value + step, stale: noted.stale };
  }
}

function parseItem(item: string): Run {
  const match = ITEM.exec(item);
  if (match === null)
    throw new Error(
      `unexpected ${JSON.stringify(item)} in series values; accepted: 1, 1x3, 1+2x3, 10-1x5, _, _x3, stale, NaN, Inf`,
    );
  const [, start, step, times] = match;
  if (times !== undefined && BigInt(times) >= 2n ** 64n)
    throw new Error(`${JSON.stringify(item)} repeats more often than 2^64 times`);
  if (start === undefined) return { start: undefined, step: 0, count: Number(times ?? 1) };
  if (step !== undefined && times === undefined)
    throw new Error(`${JSON.stringify(item)} has a step but no xN`);
  const stale = start === 'stale';
  if (stale && (step !== undefined || times !== undefined))
    throw new Error(`${JSON.stringify(item)}: a stale marker has neither a step nor xN`);
  const value = stale ? Number.NaN : parseNumber(start);
  return {
    start: { value, stale },
    step: step === undefined ? 0 : parseNumber(step),
    count: Number(times ?? 0) + 1,
  };
}

/** Go reads integers with a leading zero as octal. */
function parseNumber(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '');
  if (/^inf$/i.test(digits)) return sign * Infinity;
  if (/^nan$/i.test(digits)) return Number.NaN;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  if (!Number.isFinite(value)) throw new Error(`${JSON.stringify(text)} is out of range`);
  return sign * value;
}

const LABEL =
  /\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|("(?:[^"\\]|\\.)*"))\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(,?)/y;
const NAME = /\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*/y;

/** `metric{label="value"}`; an empty text is no labels. Throws an Error that says what is wrong. */
export function parseMetric(text: string): Labels {
  const labels: Record<string, string> = {};
  NAME.lastIndex = 0;
  const name = NAME.exec(text)?.[1];
  if (name !== undefined) labels['__name__'] = name;
  let at = NAME.lastIndex;
  if (at >= text.length) return labels;
  if (text[at] !== '{')
    throw new Error(
      `unexpected ${JSON.stringify(text.slice(at, at + 20))} in series ${JSON.stringify(text)}`,
    );
  at++;
  for (let more = true; more;) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) break;
    const [, plain, quoted, value = '""', comma] = match;
    const label = plain ?? unquoteGoString(quoted ?? '""');
    if (Object.hasOwn(labels, label))
      throw new Error(`label ${JSON.stringify(label)} is set twice in series ${JSON.stringify(text)}`);
    const decoded = unquoteGoString(value);
    if (decoded !== '') labels[label] = decoded;
    at = LABEL.lastIndex;
    more = comma === ',';
  }
  if (/^\s*\}\s*$/.test(text.slice(at))) return labels;
  throw new Error(
    `cannot read series ${JSON.stringify(text)} at ${JSON.stringify(text.slice(at, at + 20))}; accepted: metric{label="value"}`,
  );
}
