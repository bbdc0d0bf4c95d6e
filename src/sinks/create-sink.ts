import type { SinkConfig } from '../config/sink-schema.ts';
import type { Sink } from '../model/sink.ts';
import { FileOutput } from './file-output.ts';
import { LineSink } from './line-sink.ts';
import { OtlpSink } from './otlp-sink.ts';
import { RemoteWriteSink } from './remote-write-sink.ts';
import type { SinkContext } from './sink-context.ts';
import { StdoutOutput } from './stdout-output.ts';

/** The sink that a configuration describes, not started yet. Throws where a certificate or key cannot be read. */
export function createSink(config: SinkConfig, context: SinkContext): Sink {
  switch (config.type) {
    case 'otlp':
      return new OtlpSink(config, context);
    case 'prometheus_remote_write':
      return new RemoteWriteSink(config, context);
    case 'stdout':
      return new LineSink(config, new StdoutOutput(process.stdout), context);
    case 'file':
      return new LineSink(config, new FileOutput(config.path, config.max_bytes), context);
  }
}
