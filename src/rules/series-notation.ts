import type { Labels } from '../model/series.ts';
import { unquoteGoString } from '../promql/go-string.ts';

/** One value of a series written in promtool's notation; undefined where none is (`_`). */
export type NotedValue = { readonly value: number; readonly stale: boolean } | undefined;

/** Most values that one series may expand to. */
const VALUES_MAX = 1_000_000;

/** No hexadecimal numbers: `0x10` is eleven times 0. */
const NUMBER = String.raw`(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[iI][nN][fF]|[nN][aA][nN])`;
const ITEM = new RegExp(String.raw`^([-+]?${NUMBER}|stale)(?:([-+]${NUMBER}))?(?:x(\d+))?$`);
const BLANK = /^_(?:x(\d+))?$/;

/**
 * `1+2x3` is 1 3 5 7, `1x2` is 1 1 1, `_x3` is three gaps, `stale` ends the series. Throws an Error that names the
 * part that it cannot read.
 */
export function parseSeriesValues(text: string): readonly NotedValue[] {
  if (text.includes('{{')) throw new Error('native histograms are not supported');
  const values: NotedValue[] = [];
  for (const item of text.split(/\s+/).filter((part) => part !== '')) {
    if (values.length + itemLength(item) > VALUES_MAX)
      throw new Error(`a series may have at most ${VALUES_MAX} values`);
    values.push(...parseItem(item));
  }
  return values;
}

function itemLength(item: string): number {
  return Number(/x(\d+)$/.exec(item)?.[1] ?? 0);
}

function parseItem(item: string): readonly NotedValue[] {
  const blank = BLANK.exec(item);
  if (blank !== null) return Array.from({ length: Number(blank[1] ?? 1) }, () => undefined);
  const match = ITEM.exec(item);
  if (match === null)
    throw new Error(
      `unexpected ${JSON.stringify(item)} in series values; accepted: 1, 1x3, 1+2x3, 10-1x5, _, _x3, stale, NaN, Inf`,
    );
  const [, start = '', step, times] = match;
  if (step !== undefined && times === undefined)
    throw new Error(`${JSON.stringify(item)} has a step but no xN`);
  const stale = start === 'stale';
  if (stale && step !== undefined) throw new Error(`${JSON.stringify(item)}: a stale marker has no step`);
  let value = stale ? Number.NaN : parseNumber(start);
  const values: NotedValue[] = [];
  for (let i = 0; i <= Number(times ?? 0); i++) {
    values.push({ value, stale });
    // Added up one by one, as promtool does, so that the rounding is the same.
    if (step !== undefined) value += parseNumber(step);
  }
  return values;
}

function parseNumber(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '');
  if (/^inf$/i.test(digits)) return sign * Infinity;
  return sign * Number(digits);
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
