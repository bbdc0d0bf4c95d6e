import { levelOfLabels, levelOfLine, levelOfSeverity } from '../../logql/level.ts';
import { newLabels } from '../../logql/line.ts';
import type { Labels } from '../../model/series.ts';
import { ProtoWriter } from '../../wire/protobuf.ts';
import { PUSHED, serviceOf } from './stream-labels.ts';

/** A line as it was pushed. */
export interface PushedLine {
  readonly ms: number;
  readonly nanos: number;
  readonly text: string;
  readonly metadata: Labels;
}

export interface PushedStream {
  readonly labels: Labels;
  readonly lines: readonly PushedLine[];
}

/** Streams as a request of OTLP, so that all readers see one kind of record: labels become the resource, metadata attributes. */
export function recordsOfPush(streams: readonly PushedStream[]): Uint8Array {
  const writer = new ProtoWriter(64 * 1024);
  for (const { labels, lines } of streams) {
    if (lines.length === 0) continue;
    const named =
      labels['service_name'] === undefined ? { ...labels, service_name: serviceOf(labels) } : labels;
    const resourceLogs = writer.open(1);
    const resource = writer.open(1);
    writeAttribute(writer, 1, PUSHED, 'loki');
    for (const name of Object.keys(named).sort()) writeAttribute(writer, 1, name, named[name]!);
    writer.close(resource);
    const scopeLogs = writer.open(2);
    for (const line of lines) writeLine(writer, line, named);
    writer.close(scopeLogs);
    writer.close(resourceLogs);
  }
  return writer.bytes.subarray(0, writer.length);
}

function writeLine(writer: ProtoWriter, { ms, nanos, text, metadata }: PushedLine, labels: Labels): void {
  const record = writer.open(2);
  writer.nanos(1, ms, nanos);
  const body = writer.open(5);
  writer.text(1, text);
  writer.close(body);
  for (const name in metadata) writeAttribute(writer, 6, name, metadata[name]!);
  if (metadata['detected_level'] === undefined)
    writeAttribute(writer, 6, 'detected_level', levelOf(text, metadata, labels));
  writer.close(record);
}

/** Found once, when the line comes. */
function levelOf(text: string, metadata: Labels, labels: Labels): string {
  const severity = Number(metadata['severity_number'] ?? 0);
  return (
    levelOfSeverity(severity, metadata['severity_text'] ?? '') ??
    levelOfLabels(metadata, labels) ??
    levelOfLine(text)
  );
}

function writeAttribute(writer: ProtoWriter, field: number, name: string, value: string): void {
  const attribute = writer.open(field);
  writer.text(1, name);
  const any = writer.open(2);
  writer.text(1, value);
  writer.close(any);
  writer.close(attribute);
}

/** Labels of one object, names unchecked. */
export function labelsOf(entries: Iterable<readonly [string, string]>): Labels {
  const labels = newLabels();
  for (const [name, value] of entries) labels[name] = value;
  return labels;
}
