import { z } from 'zod';
import { agentDoor, agentListenSchema, openDoorComplaint } from './access-schema.ts';
import { logFormat } from './log-format.ts';
import { alertingShape, checkAlerting } from './alerting-schema.ts';
import { bufferSchema } from './buffer-schema.ts';
import { sinkSchema } from './sink-schema.ts';
import { sourceSchema } from './source-schema.ts';
import { duration } from './units.ts';

export const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, {
  error: 'a label name is letters, digits and _, not beginning with a digit',
});

const metricsSchema = z.strictObject({
  sample_interval: duration({ min: '1s', max: '5m' })
    .prefault('5s')
    .describe('How often the series that have changed are sampled for sinks and rules.'),
  heartbeat_interval: duration({ min: '1s', max: '5m' })
    .prefault('15s')
    .describe(
      'How often all series are sampled, changed or not. Keep it well below the 5 minutes after which PromQL forgets a series.',
    ),
  max_series: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(2000)
    .describe(
      'Most series one metric may have. Beyond it label sets fold into one whose labels are all `other`, so that sums stay right.',
    ),
  expire_after: duration()
    .prefault('0')
    .describe('Series that have not changed for this long end with a stale marker. 0: never.'),
  created_series: z
    .boolean()
    .default(false)
    .describe(
      'Whether a scraper that asks for OpenMetrics is also told when each counter and histogram began: `_created`, a series more for each of them.',
    ),
});

/** `taffrail.yaml`: the agent's configuration. */
export const agentSchema = z
  .strictObject({
    state_dir: z
      .string()
      .min(1)
      .default('/var/lib/taffrail')
      .describe('Where the buffer, positions, counters and the identity are kept. One agent a folder.'),
    host: z
      .string()
      .min(1)
      .optional()
      .describe("Name of this host in what is shipped. Default: the system's host name."),
    sources: z
      .array(sourceSchema)
      .min(1, { error: 'at least one source is required' })
      .describe('What to read.'),
    sinks: z.array(sinkSchema).default([]).describe('Where to ship to. None: metrics are only scraped.'),
    parsers: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Folders of parser packs beside the built-in ones. A pack here hides a built-in one of its name.',
      ),
    rules: z
      .array(z.string().min(1))
      .default([])
      .describe("Globs of Prometheus rule files, evaluated over this agent's own metrics."),
    built_in_rules: z
      .union([z.boolean(), z.array(z.string())])
      .default(true)
      .describe(
        "The rules that watch the agent itself (silent source, failing sink, lost lines, dead man's switch). false: none; a list: only those alerts.",
      ),
    rule_history: duration({ min: '6m', max: '6h' })
      .prefault('1h')
      .describe(
        "How much of its own metrics' history the agent keeps in memory for rules. A rule that needs more is refused when it is loaded.",
      ),
    ...alertingShape,
    external_labels: z
      .record(labelName, z.string())
      .default({})
      .describe('Labels added to alerts and to what is shipped.'),
    external_url: z
      .string()
      .default('')
      .describe('Address under which this agent can be reached, for links in alerts.'),
    buffer: bufferSchema.prefault({}).describe('The durable buffer.'),
    metrics: metricsSchema.prefault({}).describe('Sampling and limits of metrics.'),
    workers: z
      .union([z.literal('auto'), z.int().min(0).max(64)])
      .default('auto')
      .describe(
        'Threads that parse beside the main one when several files are busy. auto: one less than the cores, at most 4, and one less again for sources with records, whose compression keeps cores busy too.',
      ),
    listen: agentListenSchema
      .default('127.0.0.1:9470')
      .describe(
        'Address of /metrics, /status and the API, or a mapping: `{ address, tls, tokens }`. One that other hosts can reach needs tokens or tls.',
      ),
    hot_reload: z
      .boolean()
      .default(true)
      .describe(
        'Reload by itself when this file, a pack or a rule file changes. SIGHUP and `POST /-/reload` work in any case.',
      ),
    log_level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('How much of its own doings the agent logs, on standard error.'),
    log_format: logFormat,
    stop_timeout: duration({ min: '1s', max: '10m' })
      .prefault('10s')
      .describe('How long an orderly stop may take to deliver what is under way.'),
  })
  .superRefine((config, context) => {
    checkAlerting(config, context);
    const openDoor = openDoorComplaint(agentDoor(config.listen));
    if (openDoor !== undefined) context.addIssue({ code: 'custom', path: ['listen'], message: openDoor });
    for (const [list, key] of [
      [config.sources, 'sources'],
      [config.sinks, 'sinks'],
    ] as const) {
      const seen = new Set<string>();
      for (const [index, { name }] of list.entries()) {
        if (seen.has(name))
          context.addIssue({
            code: 'custom',
            path: [key, index, 'name'],
            message: `${JSON.stringify(name)} is already the name of another one; names must be unique`,
          });
        seen.add(name);
      }
    }
  });

export type AgentConfig = z.infer<typeof agentSchema>;
