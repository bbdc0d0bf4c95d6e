import type { FlatSample } from '../../../src/model/sample-set.ts';
import type { Labels, Queryable, SeriesData } from '../../../src/model/series.ts';
import { compileMatchers } from '../../../src/promql/matcher.ts';
import type { Random } from './random.ts';

/** `old` counters are far from zero all the time: the only place where we mean to differ from an older Prometheus. */
export type Counters = 'any' | 'old';

/** A whole hour, so that what is aligned to absolute time is easy to keep away from. */
export const BASE_MS = Date.UTC(2030, 0, 31, 15);
export const SPAN_MS = 100 * 60_000;
const INTERVAL_MS = 15_000;

export interface RandomSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly samples: readonly { readonly timeMs: number; readonly value: number; readonly stale: boolean }[];
}

type Walk = (random: Random) => (elapsedMs: number) => number;

/**
 * What a fleet of two services on three hosts could have exposed. Every sample lies a part of a second after a whole
 * second: windows begin and end at whole seconds, so none has a sample on its edge.
 */
export function randomSeries(random: Random, counters: Counters): readonly RandomSeries[] {
  const list: RandomSeries[] = [];
  const counter = counters === 'any' ? counterWithResets : oldCounter;
  const add = (name: string, labels: Labels, walk: Walk): void => {
    list.push({ name, labels, samples: samplesOf(random, walk(random)) });
  };
  for (const instance of ['a:9100', 'b:9100', 'c:9100']) hostSeries(random, instance, add, counter);
  for (const job of ['shop', 'mail']) for (const pod of ['0', '1']) serviceSeries(job, pod, add, counter);
  return list;
}

type CounterWalk = (perSecond: number) => Walk;
type Add = (name: string, labels: Labels, walk: Walk) => void;

function hostSeries(random: Random, instance: string, add: Add, counter: CounterWalk): void {
  const job = 'node';
  add('up', { job, instance }, flips(0.03));
  add('node_load1', { job, instance }, gauge(0, 8));
  add('node_boot_time_seconds', { job, instance }, () => () => BASE_MS / 1000 - 86_400);
  add('node_memory_MemTotal_bytes', { job, instance }, () => () => 16 * 2 ** 30);
  add('node_memory_MemAvailable_bytes', { job, instance }, gauge(2 ** 28, 12 * 2 ** 30));
  add('node_uname_info', { job, instance, nodename: `host-${instance[0]}` }, () => () => 1);
  for (const cpu of ['0', '1']) {
    for (const mode of ['idle', 'user', 'iowait'])
      add('node_cpu_seconds_total', { job, instance, cpu, mode }, counter(mode === 'idle' ? 0.8 : 0.1));
  }
  for (const mountpoint of ['/', '/data']) {
    const labels = { job, instance, device: `/dev/${mountpoint === '/' ? 'sda1' : 'sdb1'}`, mountpoint };
    add('node_filesystem_size_bytes', labels, () => () => 1e12);
    add('node_filesystem_avail_bytes', labels, shrinking(random.whole(1, 9) * 1e11));
  }
}

function serviceSeries(job: string, pod: string, add: Add, counter: CounterWalk): void {
  const instance = `${job}-${pod}:8080`;
  add('up', { job, instance }, flips(0.03));
  add('process_start_time_seconds', { job, instance }, jumps());
  add('queue_depth', { job, instance, queue: 'orders' }, gauge(0, 200));
  add('temperature_celsius', { job, instance }, gauge(-20, 40));
  add('last_success_timestamp_seconds', { job, instance }, jumps());
  for (const status of ['200', '404', '500', '503']) {
    for (const method of ['GET', 'POST'])
      add('http_requests_total', { job, instance, method, status }, counter(status === '200' ? 20 : 0.4));
  }
  const rates = [3, 5, 6, 7, 7.2];
  for (const [at, le] of ['0.1', '0.5', '1', '5', '+Inf'].entries())
    add('http_request_duration_seconds_bucket', { job, instance, le }, steady(rates[at]!));
  add('http_request_duration_seconds_sum', { job, instance }, steady(4.2));
  add('http_request_duration_seconds_count', { job, instance }, steady(7.2));
}

/** Most series are there all the time; some begin late, end early, pause for longer than the lookback or miss scrapes. */
function samplesOf(random: Random, value: (elapsedMs: number) => number): RandomSeries['samples'] {
  const phaseMs = random.whole(0, 14) * 1000;
  const bornMs = random.chance(0.1) ? random.next() * SPAN_MS : 0;
  const diedMs = random.chance(0.1) ? SPAN_MS * (0.3 + random.next() * 0.7) : Infinity;
  const pauseMs = random.chance(0.15) ? random.next() * SPAN_MS : Infinity;
  const samples: { timeMs: number; value: number; stale: boolean }[] = [];
  for (let elapsed = phaseMs; elapsed < SPAN_MS; elapsed += INTERVAL_MS) {
    const off = random.whole(100, 900);
    if (elapsed < bornMs || random.chance(0.02)) continue;
    if (elapsed > pauseMs && elapsed < pauseMs + 400_000) continue;
    const stale = elapsed > diedMs;
    samples.push({ timeMs: BASE_MS + elapsed + off, value: stale ? Number.NaN : value(elapsed), stale });
    if (stale) break;
  }
  return samples;
}

/** A counter that is reset now and then; most are old when they are first seen, a few begin near zero. */
function counterWithResets(perSecond: number): Walk {
  return (random) => {
    let value = random.chance(0.1) ? 0 : random.next() * 1e5;
    const resets = random.chance(0.2);
    return () => {
      if (resets && random.chance(0.01)) value = 0;
      value += Math.round(perSecond * 15 * random.next() * 2 * 100) / 100;
      return value;
    };
  };
}

function oldCounter(perSecond: number): Walk {
  return (random) => {
    let value = 1e6 + random.next() * 1e6;
    return () => (value += Math.round(perSecond * 15 * random.next() * 2 * 100) / 100);
  };
}

/** A counter without resets, for parts that must keep their order, such as buckets. */
function steady(perSecond: number): Walk {
  return (random) => {
    const start = 1000 * perSecond;
    return (elapsed) => start + (perSecond * elapsed) / 1000 + random.next() * perSecond;
  };
}

function gauge(from: number, to: number): Walk {
  return (random) => () => from + random.next() * (to - from);
}

function shrinking(start: number): Walk {
  return (random) => (elapsed) => start - elapsed * 1e4 * (0.9 + random.next() * 0.2);
}

function flips(probability: number): Walk {
  return (random) => () => (random.chance(probability) ? 0 : 1);
}

/** A time stamp that is renewed now and then. */
function jumps(): Walk {
  return (random) => {
    let at = BASE_MS / 1000 - 1000;
    return (elapsed) => {
      if (random.chance(0.02)) at = (BASE_MS + elapsed) / 1000;
      return at;
    };
  };
}

export function flatSamples(list: readonly RandomSeries[]): readonly FlatSample[] {
  return list
    .flatMap(({ name, labels, samples }) =>
      samples.map((sample): FlatSample => ({ name, labels, type: 'unknown', ...sample })),
    )
    .sort((a, b) => a.timeMs - b.timeMs);
}

export function queryableOf(list: readonly RandomSeries[]): Queryable {
  const all = list.map(({ name, labels, samples }) => ({ labels: { __name__: name, ...labels }, samples }));
  return {
    select(matchers, fromMs, toMs) {
      const fits = compileMatchers(matchers);
      const found = all
        .filter(({ labels }) => fits(labels))
        .map(({ labels, samples }): SeriesData => {
          const inside = samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs);
          return {
            labels,
            times: Float64Array.from(inside, ({ timeMs }) => timeMs),
            values: Float64Array.from(inside, ({ value }) => value),
            stale: Uint8Array.from(inside, ({ stale }) => Number(stale)),
          };
        });
      return Promise.resolve(found.filter(({ times }) => times.length > 0));
    },
  };
}
