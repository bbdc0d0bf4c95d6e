import { z } from 'zod';
import { duration, size } from './units.ts';

/** The durable buffer between files and sinks. */
export const bufferSchema = z.strictObject({
  max_bytes: size({ min: '1MiB' }).prefault('1GiB').describe('Most bytes of undelivered commits on disk.'),
  when_full: z
    .enum(['block', 'drop_oldest'])
    .default('block')
    .describe(
      'block: stop reading, so that the log files themselves are the buffer. drop_oldest: give up the oldest records, counted in the ledger; metrics are never dropped.',
    ),
  commit_interval: duration({ min: '1ms', max: '10s' })
    .prefault('200ms')
    .describe(
      'Least time between two commits of a busy agent. The first line after a quiet moment is committed at once.',
    ),
  commit_bytes: size({ min: '64KiB', max: '64MiB' })
    .prefault('4MiB')
    .describe(
      'A commit is made early when this much input waits for it, or a quarter of `max_bytes` where that is less.',
    ),
  batch_bytes: size({ min: '16KiB', max: '16MiB' })
    .prefault('3MiB')
    .describe(
      'Most bytes of records in one request (before compression, as protobuf). Compressed it has 768 KiB at most, or a sixth of this if that is more.',
    ),
  batch_records: z.int().min(1).max(100_000).default(8192).describe('Most records in one request.'),
});
