import type { LineFormatInput, Pack } from '../config/pack-schema.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { patternNames } from './metric-feed.ts';
import { unknownFields } from './known-fields.ts';
import { layerPatterns } from './line-parsers.ts';
import { usedExpressions } from './used-expressions.ts';
import { compileMatcher } from './pattern/pattern-matcher.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import { safeRegexOf } from './pattern/safe-regex.ts';
import { PatternError } from './pattern/pattern-error.ts';
import { TimeFormatError } from './time/time-format.ts';
import { zoneProblem } from './time/zone.ts';
import { TimestampParser } from './time/timestamp.ts';

export interface PackIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What the schema cannot see: how the keys of a pack fit together. */
export function checkPack(pack: Pack): PackIssue[] {
  const issues: PackIssue[] = [
    ...checkLayer(pack, pack, []),
    ...checkTimestamp(pack),
    ...checkMultiline(pack),
    ...checkExpressions(pack),
  ];
  if (issues.length > 0) return issues;
  return [...checkMetrics(pack), ...unknownFields(pack)];
}

function checkLayer(
  layer: LineFormatInput & { then?: Pack['then'] },
  pack: Pack,
  path: readonly (string | number)[],
): PackIssue[] {
  const issues: PackIssue[] = [];
  const given = (['pattern', 'patterns', 'grok', 'format'] as const).filter(
    (key) => layer[key] !== undefined,
  );
  if (given.length === 0)
    issues.push({ path, message: 'one of pattern, patterns, grok or format is required' });
  if (given.length > 1)
    issues.push({ path: [...path, given[1]!], message: `${given.join(' and ')} exclude each other` });
  const seen = new Set<string>();
  layer.patterns?.forEach(({ name, pattern, grok }, i) => {
    if (seen.has(name))
      issues.push({ path: [...path, 'patterns', i, 'name'], message: `two patterns are named ${name}` });
    seen.add(name);
    if ((pattern === undefined) === (grok === undefined)) {
      issues.push({ path: [...path, 'patterns', i], message: 'give either pattern or grok' });
    }
  });
  if (issues.length > 0) return issues;
  issues.push(...checkPatterns(layer, pack, path));
  if (layer.then !== undefined) issues.push(...checkLayer(layer.then, pack, [...path, 'then']));
  return issues;
}

function checkPatterns(layer: LineFormatInput, pack: Pack, path: readonly (string | number)[]): PackIssue[] {
  const single = (one: LineFormatInput, at: readonly (string | number)[]): PackIssue[] => {
    try {
      for (const pattern of layerPatterns(one, pack)) compileMatcher(pattern, pack.unsafe);
      return [];
    } catch (error) {
      if (error instanceof PatternError) return [{ path: at, message: error.message }];
      throw error;
    }
  };
  if (layer.patterns === undefined)
    return single(layer, [...path, layer.grok === undefined ? 'pattern' : 'grok']);
  return layer.patterns.flatMap((one, i) =>
    single({ patterns: [one], flags: layer.flags }, [
      ...path,
      'patterns',
      i,
      one.grok === undefined ? 'pattern' : 'grok',
    ]),
  );
}

function checkExpressions(pack: Pack): PackIssue[] {
  return [...usedExpressions(pack)].flatMap(({ input, path }) => {
    try {
      const pattern = parsePattern(input, {});
      if (input.use === 'capture') compileMatcher(pattern);
      else safeRegexOf(pattern, 'test');
      return [];
    } catch (error) {
      if (error instanceof PatternError) return [{ path, message: error.message }];
      throw error;
    }
  });
}

function checkTimestamp(pack: Pack): PackIssue[] {
  const { timestamp, zones } = pack;
  const unknown = Object.entries(zones).flatMap(([name, zone]) => {
    const message = zoneProblem(zone);
    return message === undefined ? [] : [{ path: ['zones', name], message }];
  });
  if (timestamp === undefined || unknown.length > 0) return unknown;
  const zone = zoneProblem(timestamp.timezone ?? 'UTC');
  if (zone !== undefined) return [{ path: ['timestamp', 'timezone'], message: zone }];
  try {
    new TimestampParser([timestamp.format].flat(), 'UTC');
    return [];
  } catch (error) {
    if (error instanceof TimeFormatError) return [{ path: ['timestamp', 'format'], message: error.message }];
    throw error;
  }
}

function checkMultiline({ format, multiline }: Pack): PackIssue[] {
  const field = multiline?.field;
  if (field === undefined || format === 'json' || (format === 'cri' && field === 'message')) return [];
  const message =
    format === 'cri'
      ? `with format: cri it can only be message, which it is without being said`
      : 'is for format: json, where a field of each line holds a line of the event';
  return [{ path: ['multiline', 'field'], message }];
}

function checkMetrics(pack: Pack): PackIssue[] {
  const names = patternNames(pack);
  const seen = new Set<string>();
  return pack.metrics.flatMap((metric, i) => {
    const issues: PackIssue[] = [];
    const add = (key: string, message: string): number => issues.push({ path: ['metrics', i, key], message });
    if ((metric.name === undefined) === (metric.name_from === undefined))
      add('name', 'give either name or name_from');
    if (metric.name !== undefined) {
      if (seen.has(metric.name))
        add('name', `two metrics are named ${metric.name}; give one metric labels instead`);
      seen.add(metric.name);
      if (metric.help === undefined) add('help', 'is required: a sentence that says what is measured');
    }
    if (metric.type === 'counter' && metric.name?.endsWith('_total') === false) {
      add('name', `a counter's name ends in _total: ${metric.name}_total`);
    }
    if (['gauge', 'histogram', 'unique'].includes(metric.type) && metric.value === undefined) {
      add('value', `is required for a ${metric.type}: the field that holds the value`);
    }
    if (metric.type === 'pair') {
      for (const key of ['start', 'end', 'key'] as const)
        if (metric[key] === undefined) add(key, 'is required for a pair');
    } else {
      for (const key of ['start', 'end', 'key'] as const)
        if (metric[key] !== undefined) add(key, 'is for metrics of type pair');
    }
    if (metric.buckets !== undefined) {
      if (metric.type !== 'histogram' && metric.type !== 'pair')
        add('buckets', 'are for histograms and pairs');
      if (metric.buckets.some((bound, at) => at > 0 && bound <= metric.buckets![at - 1]!))
        add('buckets', 'must ascend');
    }
    const used = [
      ...(metric.patterns ?? []),
      ...[metric.start, metric.end].filter((one) => typeof one === 'string'),
    ];
    for (const name of used) {
      if (names.includes(name)) continue;
      const meant = didYouMean(name, names);
      add(
        'patterns',
        `no pattern is named ${name}${meant === undefined ? `; there are: ${names.join(', ') || 'none'}` : `; did you mean ${meant}?`}`,
      );
    }
    return issues;
  });
}
