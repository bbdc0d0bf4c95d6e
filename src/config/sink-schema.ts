import { z } from 'zod';
import { Secret } from '../platform/secret.ts';
import { nameSchema } from './source-schema.ts';
import { duration, size } from './units.ts';

/** Text that is never printed. */
export const secretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));

const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'expected an address that begins with http:// or https://',
});

/** TLS as a client: whom we trust and who we are. */
export const tlsClientSchema = z.strictObject({
  ca_file: z.string().optional().describe("PEM file of the authorities to trust, instead of the system's."),
  cert_file: z.string().optional().describe('PEM file of the client certificate.'),
  key_file: z.string().optional().describe("PEM file of the client certificate's key."),
  server_name: z
    .string()
    .optional()
    .describe("Name to expect in the server's certificate, if it is not the address's."),
  insecure_skip_verify: z.boolean().default(false).describe('Accept any certificate. For tests only.'),
});

const httpSinkOptions = {
  headers: z
    .record(z.string(), secretText)
    .default({})
    .describe('Headers for each request; values may be secrets.'),
  bearer_token: secretText.optional().describe('Sent as `authorization: Bearer …`.'),
  bearer_token_file: z.string().optional().describe('File with the token; read again when it changes.'),
  tls: tlsClientSchema.prefault({}).describe('TLS settings.'),
  timeout: duration({ min: '100ms', max: '10m' }).prefault('10s').describe('Time for one request.'),
  concurrency: z.int().min(1).max(64).default(4).describe('Requests under way at once.'),
  retry_initial: duration({ min: '10ms' })
    .prefault('500ms')
    .describe('First pause before a repeat; it doubles, with jitter.'),
  retry_max: duration({ min: '10ms' })
    .prefault('30s')
    .describe('Longest pause before a repeat. Repeats never end: what is not delivered stays buffered.'),
  rejected_max_bytes: size()
    .prefault('64MiB')
    .describe(
      'Room for what the receiver refuses for good (see `taffrail rejected`). What does not fit is lost with the reason `rejected`. 0: nothing is kept.',
    ),
};

const otlpSink = z.strictObject({
  name: nameSchema.describe('Name of the sink: the key of its cursor and its label in metrics.'),
  type: z.literal('otlp'),
  endpoint: z
    .union([httpUrl, z.array(httpUrl).min(1)])
    .describe(
      'Base address of an OTLP/HTTP receiver (`/v1/logs` and `/v1/metrics` are added), or several: tried in order, health remembered.',
    ),
  encoding: z.enum(['protobuf', 'json']).default('protobuf').describe('Encoding of requests.'),
  compression: z.enum(['gzip', 'none']).default('gzip').describe('Compression of requests.'),
  in_doubt: z
    .enum(['wait', 'move'])
    .default('wait')
    .describe(
      'With several endpoints: what becomes of a batch whose answer was lost. `wait`: it waits for the store that may have it, while others go on. `move`: it may go to another store, counted as `possibly_twice`.',
    ),
  logs: z.boolean().default(true).describe('Ship records.'),
  metrics: z.boolean().default(true).describe('Ship metrics.'),
  ...httpSinkOptions,
});

const remoteWriteSink = z.strictObject({
  name: nameSchema,
  type: z.literal('prometheus_remote_write'),
  endpoint: httpUrl.describe(
    'Address of a remote write 1.0 receiver, such as http://prometheus:9090/api/v1/write.',
  ),
  max_samples: z.int().min(1).max(100_000).default(2000).describe('Most samples in one request.'),
  ...httpSinkOptions,
});

const fileSink = z.strictObject({
  name: nameSchema,
  type: z.literal('file'),
  path: z.string().min(1).describe('File to append JSON lines to.'),
  max_bytes: size({ min: '64KiB' })
    .prefault('64MiB')
    .describe('The file is renamed to `.1` when it gets larger.'),
  logs: z.boolean().default(true).describe('Write records.'),
  metrics: z.boolean().default(false).describe('Write samples of metrics.'),
});

const stdoutSink = z.strictObject({
  name: nameSchema,
  type: z.literal('stdout'),
  logs: z.boolean().default(true).describe('Write records.'),
  metrics: z.boolean().default(false).describe('Write samples of metrics.'),
});

export const sinkSchema = z.discriminatedUnion('type', [otlpSink, remoteWriteSink, fileSink, stdoutSink]);

export type SinkConfig = z.infer<typeof sinkSchema>;
export type OtlpSinkConfig = z.infer<typeof otlpSink>;
export type RemoteWriteSinkConfig = z.infer<typeof remoteWriteSink>;
