import { createRecordWriter } from '../../src/wire/record-writer.ts';
import { encodeLogsRequest } from '../../src/wire/otlp-logs.ts';

export interface TestRecord {
  readonly timeMs: number;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** An ExportLogsServiceRequest as our agents send it. */
export function logsRequest(
  resource: Readonly<Record<string, string>>,
  records: readonly TestRecord[],
): Uint8Array {
  const writer = createRecordWriter({ maxBlockBytes: 1e9, maxBlockRecords: 1e9 });
  writer.reset({ 'log.file.path': '/var/log/app.log' });
  for (const { timeMs, body, attributes = {} } of records) {
    writer.begin(timeMs, 0, timeMs, 0, '');
    for (const [name, value] of Object.entries(attributes)) writer.attribute(writer.key(name), value);
    writer.body(body);
    writer.end();
  }
  const blocks = writer.drain().map(({ bytes }) => bytes);
  return Buffer.concat(encodeLogsRequest([{ resource, scope: { name: 'taffrail', version: '1' }, blocks }]));
}
