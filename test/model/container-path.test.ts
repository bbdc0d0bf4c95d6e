import { expect, it } from 'vitest';
import { containerAttributes, isOfPod, typedAttributes } from '../../src/model/container-path.ts';

const UID = '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d';
const ID = '0123456789abcdef'.repeat(4);
const OF_POD = {
  'k8s.namespace.name': 'shop',
  'k8s.pod.name': 'web-1',
  'k8s.pod.uid': UID,
  'k8s.container.name': 'app',
};
const FILE = `/var/log/pods/shop_web-1_${UID}/app/3.log`;
const LINK = `/var/log/containers/web-1_shop_app-${ID}.log`;
const DOCKER = `/var/lib/docker/containers/${ID}/${ID}-json.log`;

it.each([
  ['a container', FILE],
  ['one elsewhere', FILE.replace('/var/log', '/host/logs')],
  ['a rotated file', `${FILE}.20261130-101500`],
  ['a compressed one', `${FILE}.20261130-101500.gz`],
])('reads namespace, pod, uid, container and restarts from the path of %s', (_, path) => {
  expect(containerAttributes([path])).toEqual({ ...OF_POD, 'k8s.container.restart_count': '3' });
  expect(isOfPod(path)).toBe(true);
});

it("knows a static pod by the hash that stands for its uid, and a container's name with dashes and dots", () => {
  const uid = 'a'.repeat(32);
  expect(containerAttributes([`/var/log/pods/kube-system_kube-proxy-n1_${uid}/a-b.c/0.log`])).toEqual({
    'k8s.namespace.name': 'kube-system',
    'k8s.pod.name': 'kube-proxy-n1',
    'k8s.pod.uid': uid,
    'k8s.container.name': 'a-b.c',
    'k8s.container.restart_count': '0',
  });
});

it('reads pod, namespace, container and id from a link, and the rest from where it leads', () => {
  const { 'k8s.pod.uid': _, ...ofLink } = OF_POD;
  expect(containerAttributes([LINK])).toEqual({ ...ofLink, 'container.id': ID });
  const all = { ...OF_POD, 'k8s.container.restart_count': '3', 'container.id': ID };
  expect(containerAttributes([FILE, LINK])).toEqual(all);
  expect(containerAttributes([DOCKER, FILE, LINK])).toEqual(all);
  expect(containerAttributes([undefined, LINK, FILE])).toEqual(all);
});

it.each([DOCKER, `${DOCKER}.1`, `${DOCKER}.2.gz`])(
  "reads the id of a container of Docker's from %s",
  (path) => {
    expect(containerAttributes([path])).toEqual({ 'container.id': ID });
  },
);

it.each([
  '/var/log/nginx/access.log',
  '/var/log/pods/shop_web-1/app/0.log',
  `/var/log/pods/shop_web_1_${UID}/app/0.log`,
  `/var/log/pods/shop_web-1_${UID}/app/old.log`,
  `/var/log/pods/shop_web-1_${UID}/app/0.logs`,
  `/var/log/pods/shop_web-1_${UID}.x/app/0.log`,
  `/var/log/containers/web-1_shop_app-${ID.slice(1)}.log`,
  `/var/lib/docker/containers/${ID}/${'f'.repeat(64)}-json.log`,
])('says nothing of %s', (path) => {
  expect(containerAttributes([path])).toEqual({});
  expect(isOfPod(path)).toBe(false);
});

it('counts restarts as a number', () => {
  expect(typedAttributes({ 'k8s.container.restart_count': '12', 'k8s.pod.name': '7' })).toEqual({
    'k8s.container.restart_count': 12,
    'k8s.pod.name': '7',
  });
});
