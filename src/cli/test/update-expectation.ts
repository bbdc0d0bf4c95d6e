import { isDeepStrictEqual } from 'node:util';
import { Document, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Scalar, YAMLMap } from 'yaml';
import { CASE_KEYS, normalMetricLine, normalTime } from '../../parse/run-case.ts';
import type { CaseExpectation, ExpectedRecord } from '../../parse/run-case.ts';

/** An `expected.yaml` of all that came out. */
export function newExpectation(actual: CaseExpectation): string {
  return new Document(actual, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
}

/**
 * The text of an `expected.yaml`, made to say what came out: what differs is replaced where it stands, and what it does
 * not say is added. Comments stay, and the order of keys, of metrics and of fields.
 */
export function updatedExpectation(text: string, actual: CaseExpectation): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) return newExpectation(actual);
  const root = document.contents as YAMLMap;
  // What is the same as if it were not said is not added.
  const unsaid: CaseExpectation = { filtered: {}, bad_timestamps: 0, events: actual.lines ?? 0 };
  for (const key of CASE_KEYS) {
    const value = actual[key] ?? unsaid[key];
    if (value === undefined || (actual[key] === undefined && !root.has(key))) continue;
    const present = root.get(key, true);
    if (key === 'metrics' && isScalar(present))
      setScalar(present, metricsText(present, actual.metrics ?? ''));
    else if (key === 'records' && isSeq(present)) updateRecords(document, actual.records ?? []);
    else setIn(document, [key], value);
  }
  const order = (key: unknown): number => CASE_KEYS.indexOf(String(key) as keyof CaseExpectation);
  placeNew(root, text, order);
  if (isDeepStrictEqual(document.toJS(), parseDocument(text).toJS())) return text;
  return document.toString({ lineWidth: 0 });
}

/** Keys that the text did not have stand at its end: they move behind what is said before them elsewhere. */
function placeNew(root: YAMLMap, text: string, order: (key: unknown) => number): void {
  const before = parseDocument(text).contents as YAMLMap;
  for (const pair of root.items.filter(({ key }) => !before.has(key))) {
    root.items.splice(root.items.indexOf(pair), 1);
    const at = root.items.findLastIndex(({ key }) => order(key) < order(pair.key));
    root.items.splice(at + 1, 0, pair);
  }
}

type Path = readonly (string | number)[];

/** Sets a value where it differs; of a mapping, each of its keys. */
function setIn(document: Document, path: Path, value: unknown): void {
  const present = document.getIn(path, true);
  if (isMap(present) && typeof value === 'object' && value !== null) {
    for (const { key } of present.items.slice()) {
      const name = isScalar(key) ? String(key.value) : String(key);
      if (!Object.hasOwn(value, name)) present.delete(key);
    }
    for (const [key, one] of Object.entries(value)) setIn(document, [...path, key], one);
  } else if (isScalar(present) && typeof value !== 'object') setScalar(present, value);
  else document.setIn(path, document.createNode(value, { aliasDuplicateObjects: false }));
}

/** A scalar that is right stays as it is written. */
function setScalar(scalar: Scalar, value: unknown): void {
  if (scalar.value !== value) scalar.value = value;
}

/** Records that are there keep their choice of keys, and say their fields too; new ones are like the first. */
function updateRecords(document: Document, actual: readonly ExpectedRecord[]): void {
  const list = document.getIn(['records'], true);
  if (!isSeq(list)) return;
  list.items.splice(actual.length);
  const first: unknown = list.items[0];
  const usual = isMap(first) && first.items.length > 0 ? first : undefined;
  for (const [at, record] of actual.entries()) {
    const present = list.items[at];
    for (const key of ['time', 'severity', 'body', 'fields'] as const) {
      const wanted = key === 'fields' || (isMap(present) ? present.has(key) : usual?.has(key) !== false);
      const path = ['records', at, key];
      if (!wanted) continue;
      if (record[key] === undefined) document.deleteIn(path);
      else if (key !== 'time' || !isSameTime(document.getIn(path), record[key]))
        setIn(document, path, record[key]);
    }
  }
}

function isSameTime(present: unknown, time: unknown): boolean {
  return present !== undefined && normalTime(present) === time;
}

/** Lines of metrics by what they measure: comments and the order stay, new ones come last. */
function metricsText(present: Scalar, actual: string): string {
  const rest = new Map(
    actual
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [seriesOf(line), line]),
  );
  const before = typeof present.value === 'string' ? present.value : '';
  const kept = before
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      if (line.trim() === '' || line.trim().startsWith('#')) return [line];
      const series = seriesOf(line);
      const now = rest.get(series);
      rest.delete(series);
      if (now === undefined) return [];
      return [normalMetricLine(now) === normalMetricLine(line) ? line : now];
    });
  const lines = [...kept, ...rest.values()].filter((line, at) => line !== '' || at > 0);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function seriesOf(line: string): string {
  const normal = normalMetricLine(line);
  return normal.slice(0, normal.lastIndexOf(' '));
}
