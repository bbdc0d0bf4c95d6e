import type { SampleFamily, SamplePoint, SampleSet } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';

/** What the agent is called where it speaks of itself. */
const OWN_SERVICE = 'taffrail-agent';
/** Metrics of the agent about itself. */
const OWN_PREFIX = 'taffrail_';

/**
 * What receivers know a service by: `service.name` is the label `service`, else the source; `service.instance.id` is the
 * agent, the same after a restart.
 */
export function serviceAttributes(
  agent: string,
  labels: Labels,
  source: string,
): { readonly 'service.name': string; readonly 'service.instance.id': string } {
  return { 'service.name': labels['service'] || source || OWN_SERVICE, 'service.instance.id': agent };
}

export interface SamplesOfResource {
  readonly resource: Readonly<Record<string, string>>;
  readonly samples: SampleSet;
}

/** The samples of each service under a resource of its own: those of sources, and what the agent says of itself. */
export function samplesByService(
  samples: SampleSet,
  agent: string,
  resource: Readonly<Record<string, string>>,
): SamplesOfResource[] {
  const groups = new Map<string, Map<SampleFamily, SamplePoint[]>>();
  for (const family of samples.families) {
    const isOwn = family.name.startsWith(OWN_PREFIX);
    for (const point of family.points) {
      const service = isOwn ? OWN_SERVICE : serviceOf(agent, resource, point.labels);
      let families = groups.get(service);
      if (families === undefined) groups.set(service, (families = new Map()));
      const points = families.get(family);
      if (points === undefined) families.set(family, [point]);
      else points.push(point);
    }
  }
  return [...groups].map(([service, families]) => ({
    resource: { ...resource, 'service.name': service, 'service.instance.id': agent },
    samples: {
      timeMs: samples.timeMs,
      families: [...families].map(([family, points]) => ({ ...family, points })),
      points: [...families.values()].reduce((sum, points) => sum + points.length, 0),
    },
  }));
}

function serviceOf(agent: string, resource: Labels, labels: Labels): string {
  const service = labels['service'] ?? resource['service'] ?? '';
  return serviceAttributes(agent, { service }, labels['source'] ?? '')['service.name'];
}
