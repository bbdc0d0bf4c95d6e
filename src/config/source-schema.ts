import { z } from 'zod';
import { PATH_ATTRIBUTES } from '../model/container-path.ts';
import { duration, size } from './units.ts';

export const nameSchema = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, {
  error: 'a name is 1 to 63 letters, digits, `_`, `.` or `-`, beginning with a letter or digit',
});

/** One entry of `sources`: which files, read by which pack, and what of it is shipped. */
export const sourceSchema = z.strictObject({
  name: nameSchema.describe(
    'Name of the source: a label of its metrics, and the key of its ledger and positions. Under another name it is another source, which reads its files anew.',
  ),
  paths: z
    .array(
      z
        .string()
        .min(1)
        .refine((path) => path.startsWith('/') || path.startsWith('./') || path.startsWith('../'), {
          error: 'expected an absolute path, or one that begins with ./ (relative to the configuration file)',
        }),
    )
    .min(1, { error: 'at least one path or glob is required' })
    .describe(
      'Files to read: paths or globs (`*`, `?`, `[a-z]`, `{a,b}`, `**`). Relative ones begin with `./` and count from the configuration file.',
    ),
  exclude: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Globs not to read. Without a slash they are held against the file's name, else against its path.",
    ),
  parser: z
    .string()
    .min(1)
    .default('raw')
    .describe('Name of the parser pack. `raw` takes lines as they are.'),
  start_at: z
    .enum(['beginning', 'end'])
    .default('beginning')
    .describe(
      'Where to begin in a file that is there when the source is first read. Files that appear later are read from their beginning.',
    ),
  labels: z
    .record(
      z
        .string()
        .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: 'a label name is letters, digits and _' })
        .refine((name) => name !== 'source', {
          error: "every metric and record has the source's name under `source` already; take another label",
        }),
      z.string(),
    )
    .default({})
    .describe('Labels for all metrics and records of this source.'),
  path_labels: z
    .record(
      z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: 'a label name is letters, digits and _' }),
      z.enum(PATH_ATTRIBUTES),
    )
    .default({})
    .describe(
      "Labels for all metrics of this source that have none of the name, by what a container's path says: `{ namespace: k8s.namespace.name }`. Records have all of it as resource attributes, without this.",
    ),
  records: z.boolean().default(false).describe('Ship the records too, not only the metrics.'),
  max_line_bytes: size({ min: '64B', max: '16MiB' })
    .prefault('1MiB')
    .describe('A longer line is cut here; the ledger counts what was cut off.'),
  encoding: z
    .enum(['utf-8', 'utf-16', 'latin1'])
    .default('utf-8')
    .describe(
      'Encoding of the files. A byte order mark decides; where there is none, UTF-16 of either order is recognised by its zeros, and logged.',
    ),
  timezone: z
    .string()
    .optional()
    .describe("IANA zone of time stamps that name none. Default: the pack's, else the host's."),
  linger: duration({ max: '1h' })
    .prefault('30s')
    .describe(
      'How long a rotated or deleted file is kept open after its end was read, for writers that have not let go of it.',
    ),
  max_series: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Most series a metric of this source may have. Default: `metrics.max_series`.'),
});
