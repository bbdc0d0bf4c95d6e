import { createHash } from 'node:crypto';
import { HttpError } from '../platform/http-error.ts';
import type { HttpRequest } from '../platform/http-message.ts';
import type { Sender } from './store/agent-ledger.ts';
import type { Proof } from './store/agent-names.ts';
import type { PartOfBatch } from './store/batch-parts.ts';

/** Far more parts than a batch has records. */
const PART_DIGITS_MAX = 12;

const NAME = /^[\w.:@-]{1,128}$/;

/**
 * Reads who sends: `Idempotency-Key: agent/epoch/number` or, for a part of a batch, `agent/epoch/number/part` with
 * `Taffrail-Records: first-last/of`; `Taffrail-Instance: instance;gen=n`, `Taffrail-Settled: n`.
 * Senders that are no agents of ours have none of them, or keys of another form, which are theirs to use.
 */
export function readSender(request: HttpRequest): Sender | undefined {
  const key = header(request, 'idempotency-key');
  const instanceText = header(request, 'taffrail-instance');
  if (key === undefined) return undefined;
  const [agent, epoch, numberText, partText, ...more] = key.split('/');
  if (instanceText === undefined && (numberText === undefined || more.length > 0)) return undefined;
  const number = wholeNumber(numberText);
  const part = partText === undefined ? undefined : wholeNumber(partText);
  const isPart = partText === undefined || (part !== undefined && partText.length <= PART_DIGITS_MAX);
  if (instanceText === undefined && !isPart) return undefined;
  if (
    !NAME.test(agent ?? '') ||
    !NAME.test(epoch ?? '') ||
    number === undefined ||
    number < 1 ||
    !isPart ||
    more.length > 0
  ) {
    throw new HttpError(
      400,
      `Idempotency-Key "${key.slice(0, 100)}" is neither <agent>/<epoch>/<number> nor <agent>/<epoch>/<number>/<part>`,
    );
  }
  return {
    agent: agent!,
    epoch: epoch!,
    number,
    address: request.remoteAddress,
    ...readInstance(instanceText),
    ...readSettled(request),
    ...readProof(request),
    ...(part === undefined ? {} : { part: { part, ...readRange(request) } }),
  };
}

/**
 * The same of a request that is no batch: `Taffrail-Agent: agent/epoch`. Undefined from senders that are no agents of
 * ours, or do not say it.
 */
export function readAgent(request: HttpRequest): Sender | undefined {
  const text = header(request, 'taffrail-agent');
  if (text === undefined) return undefined;
  const [agent, epoch, ...more] = text.split('/');
  if (!NAME.test(agent ?? '') || !NAME.test(epoch ?? '') || more.length > 0)
    throw new HttpError(400, `Taffrail-Agent "${text.slice(0, 100)}" is not <agent>/<epoch>`);
  return { agent: agent!, epoch: epoch!, address: request.remoteAddress, ...readProof(request) };
}

/** `Taffrail-Identity: secret=…` shows an agent's secret, `digest=…` leaves its SHA-256; both are 64 hexadecimal digits. */
export function readProof(request: HttpRequest): { proof: Proof } | undefined {
  const text = header(request, 'taffrail-identity');
  if (text === undefined) return undefined;
  const [, kind, value = ''] = /^(secret|digest)=([0-9a-f]{64})$/.exec(text) ?? [];
  if (kind === undefined)
    throw new HttpError(400, 'Taffrail-Identity is neither secret= nor digest= with 64 hexadecimal digits');
  if (kind === 'digest') return { proof: { digest: value, isShown: false } };
  return { proof: { digest: createHash('sha256').update(value).digest('hex'), isShown: true } };
}

function readRange(request: HttpRequest): { range: NonNullable<PartOfBatch['range']> } | undefined {
  const text = header(request, 'taffrail-records');
  if (text === undefined) return undefined;
  const [, first = -1, last = -1, of = -1] = (/^(\d{1,9})-(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []).map(
    Number,
  );
  if (first < 0 || first > last || last >= of)
    throw new HttpError(400, `Taffrail-Records "${text.slice(0, 100)}" is not <first>-<last>/<of>`);
  return { range: { first, last, of } };
}

function readInstance(text: string | undefined): { instance: string; generation: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^([\w.:@-]{1,128})\s*;\s*gen=(\d{1,15})$/.exec(text);
  if (match === null)
    throw new HttpError(400, `Taffrail-Instance "${text.slice(0, 100)}" is not <instance>;gen=<number>`);
  return { instance: match[1]!, generation: Number(match[2]) };
}

function readSettled(request: HttpRequest): { settled: number } | undefined {
  const text = header(request, 'taffrail-settled');
  if (text === undefined) return undefined;
  const settled = wholeNumber(text);
  if (settled === undefined)
    throw new HttpError(400, `Taffrail-Settled "${text.slice(0, 100)}" is not a number`);
  return { settled };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
