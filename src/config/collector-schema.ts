import { z } from 'zod';
import {
  hostsSchema,
  listenAddress,
  openDoorComplaint,
  tlsServerSchema,
  tokensSchema,
  trustedProxiesSchema,
  corsOriginsSchema,
} from './access-schema.ts';
import { labelName } from './agent-schema.ts';
import { alertingShape, checkAlerting } from './alerting-schema.ts';
import { logFormat } from './log-format.ts';
import { duration, size } from './units.ts';

/** `collector.yaml`: the collector's configuration. */
export const collectorSchema = z
  .strictObject({
    state_dir: z
      .string()
      .min(1)
      .default('/var/lib/taffrail-collector')
      .describe('Where the store is kept. One collector a folder.'),
    listen: listenAddress
      .default('127.0.0.1:4318')
      .describe('Address of the OTLP receiver, the query API and the page.'),
    allow_insecure: z
      .boolean()
      .default(false)
      .describe('Listen beyond loopback without token and without TLS.'),
    tokens: tokensSchema,
    protect_reads: z
      .boolean()
      .default(true)
      .describe('Where tokens are set, the page and the query API need one too.'),
    tls: tlsServerSchema.optional().describe('Serve HTTPS.'),
    hosts: hostsSchema,
    trusted_proxies: trustedProxiesSchema,
    cors_origins: corsOriginsSchema,
    retention: z
      .strictObject({
        time: duration({ min: '1h' })
          .prefault('15d')
          .describe('Samples and records older than this are deleted.'),
        max_bytes: size({ min: '16MiB' })
          .prefault('10GiB')
          .describe('The oldest are deleted when the store gets larger.'),
      })
      .prefault({})
      .describe('How long what was received is kept.'),
    limits: z
      .strictObject({
        max_body_bytes: size({ min: '64KiB', max: '256MiB' })
          .prefault('16MiB')
          .describe('Largest request, as sent and after decompression times four.'),
        requests_per_second: z
          .number()
          .min(1)
          .default(2000)
          .describe('Most ingest requests a second from one sender; more get 429.'),
        query_timeout: duration({ min: '1s', max: '10m' }).prefault('30s').describe('Time for one query.'),
        query_series: z
          .int()
          .min(1)
          .max(100_000)
          .default(5000)
          .describe('Most series in one answer of LogQL.'),
        query_samples: z.int().min(1000).default(20_000_000).describe('Most samples one query may read.'),
        series: z
          .int()
          .min(1000)
          .max(20_000_000)
          .default(2_000_000)
          .describe('Most series; samples of further ones are refused and counted.'),
        series_per_agent: z
          .int()
          .min(100)
          .default(200_000)
          .describe('Most series of one agent, by their label `agent`.'),
        recent_samples_bytes: size({ min: '16MiB', max: '4095MiB' })
          .prefault('2GiB')
          .describe('Most memory for samples that are in no block file yet; beyond it senders wait.'),
      })
      .prefault({})
      .describe('Bounds for senders and queries.'),
    logql: z
      .strictObject({
        metadata_in_series: z
          .enum(['named', 'all'])
          .default('named')
          .describe(
            'Whether metadata of lines (fields of packs) splits the series of a query for samples without grouping: only what the query names, or all of it, as in Loki.',
          ),
      })
      .prefault({})
      .describe('How LogQL is understood where people want it differently.'),
    rules: z
      .array(z.string().min(1))
      .default([])
      .describe('Globs of Prometheus rule files, evaluated over the whole store.'),
    log_rules: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Globs of rule files whose expressions are LogQL, about lines; else they are as those of `rules`.',
      ),
    built_in_rules: z
      .union([z.boolean(), z.array(z.string())])
      .default(true)
      .describe(
        'The rules that watch the fleet (agent not reporting, ledger difference). false: none; a list: only those alerts.',
      ),
    ...alertingShape,
    external_labels: z.record(labelName, z.string()).default({}).describe('Labels added to alerts.'),
    external_url: z
      .string()
      .default('')
      .describe('Address under which this collector is reached, for links in alerts.'),
    log_level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('How much of its own doings the collector logs, on standard error.'),
    log_format: logFormat,
    stop_timeout: duration({ min: '1s', max: '10m' })
      .prefault('10s')
      .describe('How long an orderly stop may take.'),
  })
  .superRefine((config, context) => {
    checkAlerting(config, context);
    const openDoor = openDoorComplaint({ ...config, address: config.listen });
    if (openDoor !== undefined) context.addIssue({ code: 'custom', path: ['listen'], message: openDoor });
  });

export type CollectorConfig = z.infer<typeof collectorSchema>;
