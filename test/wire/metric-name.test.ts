import { expect, test } from 'vitest';
import {
  attributeLabels,
  prometheusName,
  resourceLabels,
  validLabelName,
  validMetricName,
} from '../../src/wire/metric-name.ts';

test.each([
  ['http.server.duration', 'ms', 'histogram', 'http_server_duration_milliseconds'],
  ['http.server.requests', '{request}', 'counter', 'http_server_requests_total'],
  ['process.cpu.time', 's', 'counter', 'process_cpu_time_seconds_total'],
  ['requests_total', '', 'counter', 'requests_total'],
  ['system.disk.io.bytes', 'By', 'counter', 'system_disk_io_bytes_total'],
  ['net.io', 'By/s', 'gauge', 'net_io_bytes_per_second'],
  ['cpu.utilization', '1', 'gauge', 'cpu_utilization_ratio'],
  ['cpu.load', '1', 'counter', 'cpu_load_total'],
  ['memory', '%', 'gauge', 'memory_percent'],
  ['2xx.count', '', 'gauge', '_2xx_count'],
  ['a..b__c', '', 'gauge', 'a_b_c'],
  ['日本', '', 'gauge', ''],
] as const)('%s in %s as a %s is called %s', (name, unit, kind, expected) => {
  expect(prometheusName({ name, unit, kind })).toBe(expected);
});

test('valid names stay as they are, others are made valid', () => {
  expect(validMetricName('job:requests__x_:rate5m')).toBe('job:requests__x_:rate5m');
  expect(validMetricName('9.lives')).toBe('_9_lives');
  expect(validLabelName('http.method')).toBe('http_method');
  expect(validLabelName('1st')).toBe('key_1st');
});

test('attributes that become one label have their values joined; empty ones are none', () => {
  expect(attributeLabels({ 'a.b': 'x', 'a-b': 'y', empty: '', list: [1, 2] }, { job: 'shop' })).toEqual({
    a_b: 'y;x',
    job: 'shop',
    list: '[1,2]',
  });
});

test('job and instance come from the resource', () => {
  expect(
    resourceLabels({
      'service.name': 'api',
      'service.namespace': 'shop',
      'service.instance.id': 'i1',
      'host.name': 'h',
    }),
  ).toEqual({
    job: 'shop/api',
    instance: 'i1',
  });
  expect(resourceLabels({ 'host.name': 'h' })).toEqual({ instance: 'h' });
  expect(resourceLabels({})).toEqual({});
});
