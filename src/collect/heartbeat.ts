import type { Clock } from '../platform/clock.ts';
import { HttpError } from '../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import type { CollectorMetrics } from './collector-metrics.ts';
import type { FleetStore } from './store/store.ts';

export interface HeartbeatDeps {
  readonly store: Pick<FleetStore, 'id' | 'heartbeat'>;
  readonly metrics: CollectorMetrics;
  readonly clock: Clock;
}

/** Those that lag most or fail come first. */
const FILES_KEPT = 20;
const HEARTBEAT_BYTES_MAX = 1024 * 1024;

/** Adds `POST /api/v1/agents/heartbeat`: what an agent says of itself, kept as it is for the fleet page. */
export function createHeartbeat(router: Router, deps: HeartbeatDeps): void {
  router.route('POST', '/api/v1/agents/heartbeat', (request) => takeHeartbeat(request, deps));
}

async function takeHeartbeat(request: HttpRequest, deps: HeartbeatDeps): Promise<HttpResponse> {
  // A page of another site cannot send this type without asking first.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'a heartbeat is application/json');
  }
  const beat = parseHeartbeat(await request.body());
  const { agent, epoch, instance, generation } = beat;
  const sender = { agent, epoch, instance, generation, address: request.remoteAddress };
  const admission = await deps.store
    .heartbeat(sender, JSON.stringify(withFewFiles(beat)), deps.clock.now())
    .catch((error: Error) => {
      throw new HttpError(
        503,
        `the store cannot write: ${error.message}`,
        { 'retry-after': '5' },
        { cause: error },
      );
    });
  if (admission.kind === 'conflict') {
    deps.metrics.add('identity_conflicts_total');
    throw new HttpError(409, admission.message);
  }
  deps.metrics.add('heartbeats_total');
  return jsonResponse(
    200,
    { status: 'success' },
    { 'taffrail-collector': '1', 'taffrail-store': deps.store.id },
  );
}

/** The fleet page shows how many files a source has; of 10,000 the store need not keep the list. */
function withFewFiles(beat: Heartbeat): object {
  const { sources } = beat as { sources?: unknown };
  if (!Array.isArray(sources)) return beat;
  const shortened = sources.map((source: unknown) => {
    const { files } = (source ?? {}) as { files?: unknown };
    return Array.isArray(files)
      ? {
          ...(source as object),
          files: files.slice(0, FILES_KEPT),
          fileCount: (source as { fileCount?: number }).fileCount ?? files.length,
        }
      : source;
  });
  return { ...beat, sources: shortened };
}

interface Heartbeat {
  readonly agent: string;
  readonly epoch: string;
  readonly instance: string;
  readonly generation: number;
  /** `deliveredRecords` counts batches up to this one. */
  readonly throughBatch?: number;
}

function parseHeartbeat(bytes: Buffer): Heartbeat {
  if (bytes.length > HEARTBEAT_BYTES_MAX)
    throw new HttpError(413, `a heartbeat is at most ${HEARTBEAT_BYTES_MAX} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new HttpError(400, 'the heartbeat is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpError(400, 'the heartbeat is not an object');
  const beat = value as Record<string, unknown>;
  for (const name of ['agent', 'epoch', 'instance']) {
    if (typeof beat[name] !== 'string' || !/^[\w.:@-]{1,128}$/.test(beat[name])) {
      throw new HttpError(400, `the heartbeat's "${name}" must be a word of at most 128 characters`);
    }
  }
  for (const name of ['generation', 'throughBatch']) {
    if (beat[name] === undefined && name === 'throughBatch') continue;
    if (!Number.isSafeInteger(beat[name]) || (beat[name] as number) < 0) {
      throw new HttpError(400, `the heartbeat's "${name}" must be a whole number`);
    }
  }
  return value as Heartbeat;
}
