import type { ProtoReader } from './protobuf.ts';

/** What a sender says of a metric, under Prometheus's words for types. */
export interface SentMetadata {
  /** The family's name. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** By the number in `prometheus.MetricMetadata.MetricType`. */
const TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

/** Reads the `MetricMetadata` at which a reader stands (field 3 of WriteRequest 1.0). Throws WireError. */
export function readMetricMetadata(reader: ProtoReader): SentMetadata {
  const outer = reader.enter();
  let type = 0;
  const texts = { name: '', help: '', unit: '' };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        type = reader.varint();
        break;
      case 2:
        texts.name = reader.string();
        break;
      case 4:
        texts.help = reader.string();
        break;
      case 5:
        texts.unit = reader.string();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return { ...texts, type: TYPES[type] ?? 'unknown' };
}
