import type { BufferCursor } from '../buffer/buffer-cursor.ts';
import type { SinkConfig } from '../config/sink-schema.ts';
import type { Sink } from '../model/sink.ts';
import type { SinkSurroundings } from './sink-set.ts';

export async function createSink(
  config: SinkConfig,
  cursor: BufferCursor,
  around: SinkSurroundings,
): Promise<Sink> {
  throw new Error(`sink ${config.name}: ${cursor.name} ${around.identity.agent}`);
}
