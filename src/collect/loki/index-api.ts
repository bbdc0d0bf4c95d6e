import { LogqlError } from '../../logql/logql-error.ts';
import { parseLogql } from '../../logql/parse-query.ts';
import type { Labels, Matcher } from '../../model/series.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../../platform/http-message.ts';
import type { Router } from '../../platform/router.ts';
import { labelsKey } from '../../promql/metric.ts';
import type { StreamVolume } from '../lines/line-question.ts';
import type { LineStore } from '../store/store.ts';
import { answered, asText } from './loki-answers.ts';
import { durationOf, rangeOf, readParameters, required, wholeNumber } from './loki-parameters.ts';

export interface IndexApiDeps {
  readonly store: LineStore;
  readonly clock: Clock;
}

/** Adds Loki's `labels`, `label/<name>/values`, `series`, `index/*` and `detected_labels`. */
export function createLokiIndex(router: Router, deps: IndexApiDeps): void {
  const api = new LokiIndex(deps);
  const routes: readonly (readonly [string, (request: HttpRequest) => Promise<HttpResponse>])[] = [
    ['labels', (request) => api.labels(request)],
    ['label', (request) => api.labels(request)],
    ['series', (request) => api.series(request)],
    ['index/stats', (request) => api.stats(request)],
    ['index/volume', (request) => api.volume(request)],
    ['index/volume_range', (request) => api.volumeRange(request)],
    ['detected_labels', (request) => api.detectedLabels(request)],
  ];
  for (const [path, handler] of routes) {
    for (const method of ['GET', 'POST']) router.route(method, `/loki/api/v1/${path}`, asText(handler));
  }
  router.prefix(
    '/loki/api/v1/label/',
    asText((request) => api.labelValues(request)),
  );
}

class LokiIndex {
  readonly #deps: IndexApiDeps;

  constructor(deps: IndexApiDeps) {
    this.#deps = deps;
  }

  async labels(request: HttpRequest): Promise<HttpResponse> {
    const sets = await this.#setsOf(await readParameters(request));
    return success([...new Set(sets.flatMap((labels) => Object.keys(labels)))].sort());
  }

  async labelValues(request: HttpRequest): Promise<HttpResponse> {
    const name = /^\/loki\/api\/v1\/label\/([^/]+)\/values$/.exec(request.path)?.[1];
    if (name === undefined) throw new HttpError(404, 'page not found');
    const sets = await this.#setsOf(await readParameters(request));
    const values = sets.map((labels) => labels[name] ?? '').filter((value) => value !== '');
    return success([...new Set(values)].sort());
  }

  async series(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const texts = [...parameters.getAll('match[]'), ...parameters.getAll('match')];
    return success(
      await this.#labelSets(
        texts.map((text) => selectorOf(text, true)),
        parameters,
      ),
    );
  }

  async detectedLabels(request: HttpRequest): Promise<HttpResponse> {
    const sets = await this.#setsOf(await readParameters(request));
    const values = valuesByName(sets);
    const detectedLabels = [...values]
      .filter(([name, seen]) => KEPT.has(name) || ![...seen].every(isNumberOrUuid))
      .map(([label, { size: cardinality }]) => ({ label, cardinality }));
    return jsonResponse(200, { detectedLabels });
  }

  async stats(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const matchers = selectorOf(required(parameters, 'query'), false);
    const volumes = await this.#volumes(matchers, parameters, 0);
    const sum = (of: (volume: StreamVolume) => number): number =>
      volumes.reduce((total, volume) => total + of(volume), 0);
    return jsonResponse(200, {
      streams: volumes.length,
      chunks: volumes.length,
      bytes: sum(({ bytes }) => bytes),
      entries: sum(({ entries }) => entries),
    });
  }

  async volume(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const matchers = selectorOf(required(parameters, 'query'), true);
    const shape = volumeShape(parameters, matchers);
    const volumes = await this.#volumes(matchers, parameters, 0);
    const { to } = rangeOf(parameters, this.#deps.clock.now());
    const result = largestFirst(grouped(volumes, shape))
      .slice(0, shape.limit)
      .map(({ labels, bytes }) => ({ metric: labels, value: [to.ms / 1000, String(bytes)] }));
    return success({ resultType: 'vector', result, stats: {} });
  }

  async volumeRange(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const matchers = selectorOf(required(parameters, 'query'), true);
    const shape = volumeShape(parameters, matchers);
    const { from, to } = rangeOf(parameters, this.#deps.clock.now());
    const given = durationOf(parameters, 'step') ?? Math.max(1000, (to.ms - from.ms) / 250);
    if (given <= 0) throw new HttpError(400, 'step: expected a duration longer than nothing');
    if ((to.ms - from.ms) / given > PARTS_MAX)
      throw new HttpError(400, `the range has more than ${PARTS_MAX} points`);
    const stepMs = Math.max(1, Math.round(given));
    const volumes = await this.#volumes(matchers, parameters, stepMs);
    const result = largestFirst(grouped(volumes, shape))
      .slice(0, shape.limit)
      .map(({ labels, parts }) => ({
        metric: labels,
        values: Object.entries(parts).map(([part, bytes]) => [
          Math.min(from.ms + (Number(part) + 1) * stepMs, to.ms) / 1000,
          String(bytes),
        ]),
      }));
    return success({ resultType: 'matrix', result, stats: {} });
  }

  /** Of `query`, if it is given. */
  #setsOf(parameters: URLSearchParams): Promise<readonly Labels[]> {
    const query = parameters.get('query') ?? '';
    return this.#labelSets(query === '' ? [] : [selectorOf(query, false)], parameters);
  }

  async #labelSets(
    selectors: readonly (readonly Matcher[])[],
    parameters: URLSearchParams,
  ): Promise<readonly Labels[]> {
    const range = rangeOf(parameters, this.#deps.clock.now());
    return answered(await this.#deps.store.lines({ kind: 'labels', selectors, range }), 'labels').sets;
  }

  async #volumes(
    matchers: readonly Matcher[],
    parameters: URLSearchParams,
    stepMs: number,
  ): Promise<readonly StreamVolume[]> {
    const range = rangeOf(parameters, this.#deps.clock.now());
    return answered(await this.#deps.store.lines({ kind: 'volume', matchers, range, stepMs }), 'volume')
      .volumes;
  }
}

const PARTS_MAX = 1000;
/** Labels that people choose by, though their values may look like numbers. */
const KEPT: ReadonlySet<string> = new Set(['cluster', 'namespace', 'instance', 'pod']);

function isNumberOrUuid(value: string): boolean {
  return (
    /^[-+]?(?:\d+\.?\d*|\.\d+)$/.test(value) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
  );
}

function valuesByName(sets: readonly Labels[]): ReadonlyMap<string, ReadonlySet<string>> {
  const values = new Map<string, Set<string>>();
  for (const labels of sets) {
    for (const [name, value] of Object.entries(labels)) {
      let seen = values.get(name);
      if (seen === undefined) values.set(name, (seen = new Set()));
      seen.add(value);
    }
  }
  return values;
}

/** A selector alone. With `all`, `{}` means every stream. */
export function selectorOf(text: string, all: boolean): readonly Matcher[] {
  if (all && /^\s*\{\s*\}\s*$/.test(text)) return [];
  try {
    const expr = parseLogql(text);
    if (expr.kind === 'log' && expr.stages.length === 0) return expr.matchers;
  } catch (error) {
    if (error instanceof LogqlError) throw new HttpError(400, error.message, {}, { cause: error });
    throw error;
  }
  throw new HttpError(400, 'expected a selector alone, such as {source="web"}, without stages');
}

interface VolumeShape {
  readonly by: 'series' | 'labels';
  /** Empty: those of the selector. */
  readonly targets: readonly string[];
  readonly limit: number;
}

function volumeShape(parameters: URLSearchParams, matchers: readonly Matcher[]): VolumeShape {
  const by = parameters.get('aggregateBy') ?? 'series';
  if (by !== 'series' && by !== 'labels')
    throw new HttpError(400, `aggregateBy=${by.slice(0, 30)}: expected series or labels`);
  const targets = (parameters.get('targetLabels') ?? '').split(',').filter((name) => name !== '');
  const limit = wholeNumber(parameters, 'limit', 100, 10_000);
  const own = by === 'series' ? matchers.map(({ name }) => name) : [];
  return { by, targets: targets.length > 0 ? targets : own, limit };
}

interface Volume {
  readonly labels: Labels;
  bytes: number;
  readonly parts: Record<number, number>;
}

function grouped(volumes: readonly StreamVolume[], { by, targets }: VolumeShape): Volume[] {
  const groups = new Map<string, Volume>();
  const add = (labels: Labels, { bytes, parts }: StreamVolume): void => {
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { labels, bytes: 0, parts: {} }));
    group.bytes += bytes;
    for (const part in parts) group.parts[part] = (group.parts[part] ?? 0) + parts[part]!;
  };
  for (const volume of volumes) {
    const names =
      targets.length > 0
        ? targets.filter((name) => volume.labels[name] !== undefined)
        : Object.keys(volume.labels);
    if (by === 'labels') for (const name of names) add({ [name]: '' }, volume);
    else if (names.length > 0 || targets.length === 0)
      add(Object.fromEntries(names.map((name) => [name, volume.labels[name]!])), volume);
  }
  return [...groups.values()];
}

function largestFirst(volumes: Volume[]): Volume[] {
  return volumes.sort((a, b) => b.bytes - a.bytes || (labelsKey(a.labels) < labelsKey(b.labels) ? -1 : 1));
}

function success(data: unknown): HttpResponse {
  return jsonResponse(200, { status: 'success', data });
}
