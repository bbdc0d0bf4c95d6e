import { expect, it } from 'vitest';
import type { SourceSpec } from '../../src/tail/source-spec.ts';
import { Stream, type Body } from '../../src/tail/stream.ts';

function streamAt(paths: Partial<Body> = {}): Stream {
  const path = '/var/log/app.log';
  const way = { path, place: path, realPath: undefined, via: [], linkTarget: undefined, ...paths };
  return new Stream(
    { name: 'app' } as SourceSpec,
    1,
    { ...way, device: '1', inode: '2', compression: 'none' },
    4096,
  );
}

it('is as long as a read found it, unless something was seen of it since that read began', () => {
  const stream = streamAt();
  stream.size = 100;
  stream.dirty = true;
  stream.endedAt(60);
  expect(stream.size).toBe(100);
  stream.endedAt(120);
  expect(stream.size).toBe(120);
  stream.dirty = false;
  stream.endedAt(60);
  expect(stream.size).toBe(60);
});

it('has the attributes of all paths that lead to it, and others as soon as it is elsewhere', () => {
  const id = 'ab'.repeat(32);
  const uid = '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d';
  const path = `/var/log/containers/web_shop_app-${id}.log`;
  const of = (number: number): string => `/var/log/pods/shop_web_${uid}/app/${number}.log`;
  const stream = streamAt({ path, realPath: of(0) });
  const all = {
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web',
    'k8s.pod.uid': uid,
    'k8s.container.name': 'app',
    'k8s.container.restart_count': '0',
    'container.id': id,
  };
  expect(stream.attributes).toEqual(all);
  expect(stream.attributes).toBe(stream.attributes);
  stream.body = { ...stream.body, realPath: `/var/lib/docker/containers/${id}/${id}-json.log`, via: [of(2)] };
  expect(stream.attributes).toEqual({ ...all, 'k8s.container.restart_count': '2' });
  expect(streamAt().attributes).toEqual({});
});
