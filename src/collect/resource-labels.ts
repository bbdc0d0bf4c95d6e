import type { Labels } from '../model/series.ts';
import { anyValueText, type Attributes } from '../wire/any-value.ts';
import { resourceLabels, validLabelName } from '../wire/metric-name.ts';

/** Attributes of an agent of ours that become labels under another name. */
const OURS: Readonly<Record<string, string>> = {
  'host.name': 'host',
  'taffrail.agent': 'agent',
  'taffrail.source': 'source',
};

/** Attributes of other senders that are worth a label on each series; the rest would only make series many. */
const PROMOTED = [
  'service.version',
  'host.name',
  'deployment.environment',
  'deployment.environment.name',
  'cloud.region',
  'cloud.availability_zone',
  'k8s.cluster.name',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.container.name',
  'k8s.deployment.name',
  'k8s.node.name',
  'container.name',
];

/** Labels that a resource adds to the series under it, and those among what `wire/` derived from it that are to go. */
export interface ResourceLabels {
  readonly add: Labels;
  readonly remove: Labels;
}

/**
 * An agent of ours is known by host and agent id. Its `service.*` describe the agent itself and change with each start:
 * as labels they would break every series at a restart.
 */
export function labelsOfResource(resource: Attributes): ResourceLabels {
  if (resource['taffrail.agent'] === undefined) return { add: promoted(resource), remove: {} };
  const add: Record<string, string> = {};
  for (const [name, value] of Object.entries(resource)) {
    if (name.startsWith('service.') || name.startsWith('telemetry.')) continue;
    if (name.startsWith('taffrail.') && OURS[name] === undefined) continue;
    add[OURS[name] ?? validLabelName(name)] = anyValueText(value);
  }
  return { add, remove: resourceLabels(resource) };
}

function promoted(resource: Attributes): Labels {
  const labels: Record<string, string> = {};
  for (const name of PROMOTED) {
    if (resource[name] !== undefined) labels[validLabelName(name)] = anyValueText(resource[name]);
  }
  return labels;
}
