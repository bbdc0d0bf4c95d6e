import {
  isList,
  isMap,
  isStruct,
  TemplateError,
  withMethods,
  type GoMap,
  type GoStruct,
  type TemplateMethod,
  type TemplateValue,
} from '../template/template-value.ts';

/** A notification as templates see it: Alertmanager's types with their methods. */
export function notificationValue(value: unknown): TemplateValue {
  if (value === null || value === undefined) return undefined;
  if (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  )
    return value;
  if (value instanceof Date) return { kind: 'time', ms: value.getTime() };
  if (Array.isArray(value)) return alerts(value.map(notificationValue));
  const entries = Object.entries(value);
  if (entries.every(([, inner]) => typeof inner === 'string')) return pairMap(new Map(entries));
  const fields = new Map(entries.map(([key, inner]) => [key, notificationValue(inner)]));
  const type = fields.has('Fingerprint') ? 'template.Alert' : '*template.Data';
  return { kind: 'struct', type, fields } satisfies GoStruct;
}

/** `template.Alerts`. */
function alerts(list: readonly TemplateValue[]): readonly TemplateValue[] {
  const only = (status: string): TemplateMethod =>
    withoutArguments(() =>
      alerts(list.filter((alert) => isStruct(alert) && alert.fields.get('Status') === status)),
    );
  return withMethods(list, { Firing: only('firing'), Resolved: only('resolved') });
}

/** `template.KV`. */
function pairMap(entries: ReadonlyMap<string, string>): GoMap {
  const map: GoMap = { kind: 'map', entries, zero: '' };
  return withMethods(map, {
    SortedPairs: withoutArguments(() => sortedPairs(entries)),
    Names: withoutArguments(() => sortedNames(entries)),
    Values: withoutArguments(() => sortedNames(entries).map((name) => entries.get(name))),
    Remove: (args) => {
      const [names] = args;
      if (args.length !== 1 || !isList(names)) throw new TemplateError('Remove wants a list of names');
      return pairMap(new Map([...entries].filter(([name]) => !names.includes(name))));
    },
  });
}

/** `template.Pairs`. */
function sortedPairs(entries: ReadonlyMap<string, string>): readonly TemplateValue[] {
  const names = sortedNames(entries);
  const pairs = names.map((name): GoStruct => ({
    kind: 'struct',
    type: 'template.Pair',
    fields: new Map([
      ['Name', name],
      ['Value', entries.get(name)],
    ]),
  }));
  return withMethods(pairs, {
    Names: withoutArguments(() => names),
    Values: withoutArguments(() => names.map((name) => entries.get(name))),
  });
}

/** By their bytes, but the name of the alert first. */
function sortedNames(entries: ReadonlyMap<string, string>): string[] {
  const rank = (name: string): number => (name === 'alertname' ? 0 : 1);
  return [...entries.keys()].sort(
    (a, b) => rank(a) - rank(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
}

function withoutArguments(method: () => TemplateValue): TemplateMethod {
  return (args) => {
    if (args.length > 0) throw new TemplateError(`wrong number of args: want 0 got ${args.length}`);
    return method();
  };
}

/** As JSON prints it, for `toJson`. */
export function plainValue(value: TemplateValue): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object') return value;
  if (isList(value)) return value.map(plainValue);
  if (value.kind === 'time') return new Date(value.ms).toISOString();
  const entries = isMap(value) ? value.entries : value.fields;
  return Object.fromEntries(Array.from(entries, ([name, inner]) => [name, plainValue(inner)]));
}
