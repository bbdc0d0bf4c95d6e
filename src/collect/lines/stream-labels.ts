import type { Labels } from '../../model/series.ts';
import { newLabels } from '../../logql/line.ts';
import { type AnyValue, anyValueText, type Attributes } from '../../wire/any-value.ts';

/** A resource with this attribute was pushed in Loki's form: its attributes are the stream's labels as they are. */
export const PUSHED = 'taffrail.pushed';
/** The attribute of a record that names its file. It is a label of the stream, though records of one batch may differ in it. */
export const FILE_PATH = 'log.file.path';

/** Attributes of other senders that are labels of the stream; all else is metadata of each line. */
const FOREIGN_LABELS: ReadonlySet<string> = new Set([
  'service.name',
  'service.namespace',
  'service.instance.id',
  'deployment.environment',
  'deployment.environment.name',
  'cloud.region',
  'cloud.availability_zone',
  'container.name',
  ...'cluster namespace pod container replicaset deployment statefulset daemonset cronjob job'
    .split(' ')
    .map((what) => `k8s.${what}.name`),
]);

/** Which label names the service, where `service_name` does not. */
const SERVICE_NAMES =
  'service app application app_name name app_kubernetes_io_name container container_name k8s_container_name component workload job k8s_job_name'.split(
    ' ',
  );

/** What lines of one resource have in common. */
export interface ResourceLines {
  /** Labels without `filename`. */
  readonly labels: Labels;
  /** Metadata that every line has. */
  readonly metadata: Labels;
  /** Whether its records may name their file. */
  readonly namesFiles: boolean;
  /** Whether every line is a text in its record: of other senders it may be a map. */
  readonly areTexts: boolean;
}

export function linesOfResource(resource: Attributes): ResourceLines {
  if (resource[PUSHED] !== undefined)
    return { labels: pushedLabels(resource), metadata: newLabels(), namesFiles: false, areTexts: true };
  const labels = newLabels();
  const metadata = newLabels();
  if (resource['taffrail.agent'] === undefined) foreign(resource, labels, metadata);
  else ours(resource, labels, metadata);
  if (labels['service_name'] === undefined) labels['service_name'] = serviceOf(labels);
  return { labels, metadata, namesFiles: true, areTexts: resource['taffrail.agent'] !== undefined };
}

function pushedLabels(resource: Attributes): Labels {
  const labels = newLabels();
  for (const [name, value] of Object.entries(resource))
    if (name !== PUSHED) labels[name] = anyValueText(value);
  return labels;
}

/** An agent of ours: what the user put under `labels:` is what he wants to select by. */
function ours(resource: Attributes, labels: Record<string, string>, metadata: Record<string, string>): void {
  for (const [name, value] of Object.entries(resource)) {
    if (name === 'host.name') labels['host'] = anyValueText(value);
    else if (name === 'taffrail.source') labels['source'] = anyValueText(value);
    else if (name === 'taffrail.agent') metadata['agent'] = anyValueText(value);
    else if (name.startsWith('telemetry.') || (name.startsWith('service.') && name !== 'service.name'))
      continue;
    else if (name.startsWith('taffrail.') || name === 'otel.scope.name') addMetadata(metadata, name, value);
    else if (anyValueText(value) !== '') labels[labelName(name)] = anyValueText(value);
  }
  // What the agent says of itself is no service of the user's.
  if (labels['service_name'] === 'taffrail') delete labels['service_name'];
  labels['service_name'] ??= labels['service'] ?? labels['source'] ?? 'unknown_service';
}

function foreign(
  resource: Attributes,
  labels: Record<string, string>,
  metadata: Record<string, string>,
): void {
  for (const [name, value] of Object.entries(resource)) {
    if (FOREIGN_LABELS.has(name) && anyValueText(value) !== '') labels[labelName(name)] = anyValueText(value);
    else addMetadata(metadata, name === 'otel.scope.name' ? 'scope_name' : name, value);
  }
}

/** The first label that tells what runs, as Loki looks for it. */
export function serviceOf(labels: Labels): string {
  for (const name of SERVICE_NAMES)
    if (labels[name] !== undefined && labels[name] !== '') return labels[name];
  return 'unknown_service';
}

/** Maps become a name for each member, lists their JSON. A name that is there already stays as it is. */
export function addMetadata(metadata: Record<string, string>, name: string, value: AnyValue): void {
  if (value === null) return;
  if (typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) addMetadata(metadata, `${name}_${key}`, member);
    return;
  }
  metadata[metadataName(name)] ??= anyValueText(value);
}

const NAMES_MAX = 5000;
const metadataNames = new Map<string, string>();

function metadataName(name: string): string {
  let known = metadataNames.get(name);
  if (known !== undefined) return known;
  known = labelName(name);
  if (/^\d/.test(known)) known = `key_${known}`;
  if (metadataNames.size >= NAMES_MAX) metadataNames.clear();
  metadataNames.set(name, known);
  return known;
}

function labelName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '_');
}
