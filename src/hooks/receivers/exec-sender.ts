import type { ExecConfig } from '../../config/receiver-schema.ts';
import type { Secret } from '../../platform/secret.ts';
import { countFiring } from '../notification.ts';
import type { Notification } from '../notification.ts';
import { webhookPayload } from '../webhook-payload.ts';
import type { WebhookPayload } from '../webhook-payload.ts';
import { variableText } from './clean-text.ts';
import { runProgram } from './run-program.ts';
import type { ProgramEnd } from './run-program.ts';
import { DeliveryFailure } from './sender.ts';
import type { Sender, SenderContext } from './sender.ts';

/** Bytes of one variable, and how many of a kind: Linux takes 128 KiB of each and some MiB of all of them. */
const VALUE_BYTES_MAX = 4096;
const NAME_BYTES_MAX = 256;
const PAIRS_MAX = 64;
/** What of our own environment a program sees; the rest may hold secrets. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'USER', 'LOGNAME', 'TMPDIR'];

/** Runs a program for each notification: JSON on standard input, key fields as TAFFRAIL_ variables, 0 is success. */
export class ExecSender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #config: ExecConfig;
  readonly #context: SenderContext;

  constructor(config: ExecConfig, context: SenderContext) {
    this.#config = config;
    this.#context = context;
    this.secrets = Object.values(config.env);
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    const payload = webhookPayload(notification, this.#context.externalUrl, 0);
    const end = await runProgram({
      command: this.#config.command,
      env: this.#environment(notification, payload),
      workingDirectory: this.#config.working_directory,
      stdin: `${JSON.stringify(payload)}\n`,
      timeoutMs: this.#config.timeout,
      signal,
      clock: this.#context.clock,
    }).catch((error: unknown) => {
      throw new DeliveryFailure(`cannot start ${this.#config.command[0]}: ${(error as Error).message}`, {
        retryable: true,
        cause: error,
      });
    });
    if (end.kind === 'exited' && end.code === 0) return end.output;
    throw new DeliveryFailure(this.#words(end), { retryable: true, output: end.output });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #words(end: ProgramEnd): string {
    const program = this.#config.command[0];
    switch (end.kind) {
      case 'exited':
        return `${program} exited with code ${end.code}`;
      case 'killed':
        return `${program} was ended by ${end.by}`;
      case 'timed_out':
        return `${program} did not end within ${this.#config.timeout} ms and was killed with its process group`;
      case 'aborted':
        return `${program} was stopped because we stop`;
    }
  }

  #environment(notification: Notification, payload: WebhookPayload): Record<string, string> {
    const firing = countFiring(notification.alerts);
    const variables: Record<string, string> = {
      TAFFRAIL_RECEIVER: payload.receiver,
      TAFFRAIL_STATUS: payload.status,
      TAFFRAIL_GROUP_KEY: payload.groupKey,
      TAFFRAIL_EXTERNAL_URL: payload.externalURL,
      TAFFRAIL_NOTIFICATION_ID: notification.id,
      TAFFRAIL_FIRING: String(firing),
      TAFFRAIL_RESOLVED: String(notification.alerts.length - firing),
      ...prefixed('TAFFRAIL_LABEL_', payload.commonLabels),
      ...prefixed('TAFFRAIL_ANNOTATION_', payload.commonAnnotations),
    };
    for (const [name, value] of Object.entries(variables))
      variables[name] = variableText(value, VALUE_BYTES_MAX);
    for (const name of INHERITED) {
      const value = process.env[name];
      if (value !== undefined) variables[name] = value;
    }
    for (const [name, value] of Object.entries(this.#config.env))
      variables[name] = value.reveal().replaceAll('\0', '');
    return variables;
  }
}

/** Common labels as variables: `job` is TAFFRAIL_LABEL_JOB. */
function prefixed(prefix: string, pairs: Readonly<Record<string, string>>): Record<string, string> {
  const variables = Object.entries(pairs)
    .slice(0, PAIRS_MAX)
    .map(([name, value]) => [
      prefix +
        name
          .slice(0, NAME_BYTES_MAX)
          .toUpperCase()
          .replace(/[^A-Z0-9_]/g, '_'),
      value,
    ]);
  return Object.fromEntries(variables) as Record<string, string>;
}
