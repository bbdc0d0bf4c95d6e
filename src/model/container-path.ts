/**
 * What the paths of containers' logs say, under the names of OpenTelemetry's semantic conventions. Kubelet names them
 * `pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log`, with a time behind it once rotated, and makes links to them,
 * `containers/<pod>_<namespace>_<container>-<id>.log`; Docker names them `containers/<id>/<id>-json.log`. Names of
 * namespaces and pods hold no underscore. What stands above these parts does not matter.
 */
export type PathAttributes = Readonly<Record<string, string>>;

const PART = '[^/_]+';
const UID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}';
const POD = new RegExp(`/(${PART})_(${PART})_(${UID})/([^/]+)/(\\d{1,9})\\.log(?:[.-][^/]*)?$`);
const LINK = new RegExp(`/(${PART})_(${PART})_([^/]+)-([0-9a-f]{64})\\.log(?:[.-][^/]*)?$`);
const DOCKER = /\/([0-9a-f]{64})\/\1-json\.log(?:[.-][^/]*)?$/;

/** In the order in which they are written. */
export const PATH_ATTRIBUTES = [
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.container.name',
  'k8s.container.restart_count',
  'container.id',
] as const;

export type PathAttribute = (typeof PATH_ATTRIBUTES)[number];

/** Attributes as the conventions type them: counts are whole numbers, all others are text. */
export function typedAttributes(attributes: PathAttributes): Readonly<Record<string, string | number>> {
  const count = attributes['k8s.container.restart_count'];
  return count === undefined ? attributes : { ...attributes, 'k8s.container.restart_count': Number(count) };
}

/** Attributes have a dot in their names, and labels have none: so they are told apart where both stand together. */
export function isPathAttribute(name: string): boolean {
  return name.includes('.');
}

/** What is known of a file by all paths that lead to it; the first that says something decides. */
export function containerAttributes(paths: readonly (string | undefined)[]): PathAttributes {
  const found: Partial<Record<PathAttribute, string>> = {};
  for (const path of paths) if (path !== undefined) Object.assign(found, { ...attributesIn(path), ...found });
  const known = PATH_ATTRIBUTES.filter((name) => found[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, found[name]!]));
}

/** Whether it is a file of kubelet's in the folder of a pod. */
export function isOfPod(path: string): boolean {
  return POD.test(path);
}

function attributesIn(path: string): Partial<Record<PathAttribute, string>> {
  const pod = POD.exec(path);
  if (pod !== null) {
    return {
      'k8s.namespace.name': pod[1]!,
      'k8s.pod.name': pod[2]!,
      'k8s.pod.uid': pod[3]!,
      'k8s.container.name': pod[4]!,
      'k8s.container.restart_count': String(Number(pod[5])),
    };
  }
  const link = LINK.exec(path);
  if (link !== null) {
    return {
      'k8s.namespace.name': link[2]!,
      'k8s.pod.name': link[1]!,
      'k8s.container.name': link[3]!,
      'container.id': link[4]!,
    };
  }
  const docker = DOCKER.exec(path);
  return docker === null ? {} : { 'container.id': docker[1]! };
}
