import type { DetectedField } from '../../logql/detected-fields.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../../platform/http-message.ts';
import type { Router } from '../../platform/router.ts';
import type { LineStore } from '../store/store.ts';
import { answered, asText } from './loki-answers.ts';
import { durationOf, rangeOf, readParameters, required, wholeNumber } from './loki-parameters.ts';

export interface FieldsApiDeps {
  readonly store: LineStore;
  readonly clock: Clock;
}

const LINE_LIMIT = 100;
const LINE_LIMIT_MAX = 5000;
const FIELD_LIMIT = 1000;
/** Lines of which patterns are made. */
const PATTERN_LINES = 20_000;

/** Adds Loki's `detected_fields`, `detected_field/<name>/values` and `patterns`. */
export function createLokiFields(router: Router, deps: FieldsApiDeps): void {
  const api = new LokiFields(deps);
  for (const method of ['GET', 'POST']) {
    router.route(
      method,
      '/loki/api/v1/detected_fields',
      asText((request) => api.fields(request)),
    );
    router.route(
      method,
      '/loki/api/v1/patterns',
      asText((request) => api.patterns(request)),
    );
  }
  router.prefix(
    '/loki/api/v1/detected_field/',
    asText((request) => api.values(request)),
  );
}

class LokiFields {
  readonly #deps: FieldsApiDeps;

  constructor(deps: FieldsApiDeps) {
    this.#deps = deps;
  }

  async fields(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const limit = wholeNumber(parameters, 'limit', FIELD_LIMIT, 10_000);
    const detected = await this.#detect(parameters);
    const fields = detected.fields.slice(0, limit).map(({ label, type, values, parsers, jsonPath }) => ({
      label,
      type,
      cardinality: values.length,
      parsers,
      ...(jsonPath !== undefined && { jsonPath }),
    }));
    return jsonResponse(200, { fields, ...(detected.lines > 0 && { limit }) });
  }

  async values(request: HttpRequest): Promise<HttpResponse> {
    const name = /^\/loki\/api\/v1\/detected_field\/([^/]+)\/values$/.exec(request.path)?.[1];
    if (name === undefined) throw new HttpError(404, 'page not found');
    const parameters = await readParameters(request);
    const limit = wholeNumber(parameters, 'limit', FIELD_LIMIT, 10_000);
    const field = (await this.#detect(parameters)).fields.find(({ label }) => label === name);
    return jsonResponse(200, { values: [...(field?.values ?? [])].sort().slice(0, limit), limit });
  }

  async #detect(
    parameters: URLSearchParams,
  ): Promise<{ readonly fields: readonly DetectedField[]; readonly lines: number }> {
    const query = required(parameters, 'query');
    const range = rangeOf(parameters, this.#deps.clock.now());
    const lineLimit = wholeNumber(parameters, 'line_limit', LINE_LIMIT, LINE_LIMIT_MAX);
    return answered(await this.#deps.store.lines({ kind: 'fields', query, range, lineLimit }), 'fields');
  }

  async patterns(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const query = required(parameters, 'query');
    const range = rangeOf(parameters, this.#deps.clock.now());
    const stepMs = durationOf(parameters, 'step') ?? 10_000;
    if (stepMs <= 0) throw new HttpError(400, 'step: expected a duration longer than nothing');
    const question = { kind: 'patterns', query, range, stepMs, lineLimit: PATTERN_LINES } as const;
    const { patterns } = answered(await this.#deps.store.lines(question), 'patterns');
    return jsonResponse(200, { status: 'success', data: patterns });
  }
}
