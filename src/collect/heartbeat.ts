import type { Access } from '../platform/access/access.ts';
import type { Clock } from '../platform/clock.ts';
import { HttpError } from '../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import type { CollectorMetrics } from './collector-metrics.ts';
import { checkHeartbeat, type Heartbeat } from './heartbeat-schema.ts';
import { unproven } from './ingest.ts';
import { readProof } from './sender-headers.ts';
import type { Sender } from './store/agent-ledger.ts';
import type { FleetStore } from './store/store.ts';

export interface HeartbeatDeps {
  readonly store: Pick<FleetStore, 'id' | 'heartbeat'>;
  readonly access: Access;
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
  const { agent, epoch, instance, generation, host } = beat;
  const { agents } = deps.access.admit(request, ['send']);
  const sender: Sender = {
    agent,
    epoch,
    instance,
    generation,
    address: request.remoteAddress,
    ...readProof(request),
    ...(agents === undefined ? {} : { agents }),
    ...(host === undefined || host === '' ? {} : { host }),
  };
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
  if (admission.kind === 'unproven') throw unproven(admission.message);
  if (admission.kind === 'conflict' || admission.kind === 'forbidden') {
    deps.metrics.add('identity_conflicts_total');
    throw new HttpError(admission.kind === 'conflict' ? 409 : 403, admission.message);
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
  if (beat.sources === undefined) return beat;
  const sources = beat.sources.map((source) => {
    const { files } = source;
    if (!Array.isArray(files)) return source;
    return { ...source, files: files.slice(0, FILES_KEPT), fileCount: source.fileCount ?? files.length };
  });
  return { ...beat, sources };
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
  const checked = checkHeartbeat(value);
  if (checked.kind === 'bad') throw new HttpError(400, checked.message);
  return checked.beat;
}
