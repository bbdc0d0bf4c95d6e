import type { Rotation, WriterPlan } from './log-writer.ts';
import { Prng } from './prng.ts';

/** One life of the agent but the last: how it is struck and how it ends. */
export interface LifePlan {
  /** TAFFRAIL_FAULTS. */
  readonly faults: string;
  /** From when it is ready, or else from its start. */
  readonly fromReady: boolean;
  readonly lastsMs: number;
  /** At the end of `lastsMs`, where no fault point killed it before. */
  readonly end: 'kill' | 'terminate' | 'power_loss';
  /** Before the next life the newest snapshot is removed. */
  readonly dropSnapshot: boolean;
  readonly downMs: number;
  /** Reloads, this long after it is ready. */
  readonly reloadsAtMs: readonly number[];
  readonly killCollectorToo: boolean;
}

export type NetworkEvent = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'cut_request'; readonly bytes: number }
  | { readonly kind: 'lose_responses'; readonly count: number }
  | { readonly kind: 'refuse' | 'stall' | 'cut_all' }
);

export interface CollectorLife {
  readonly faults: string;
  readonly lastsMs: number;
  readonly end: 'kill' | 'terminate';
  readonly downMs: number;
}

export interface RunPlan {
  readonly seed: number;
  /** `shared`: a collector that outlives the run. */
  readonly receiver: 'shared' | 'own' | 'plain';
  readonly pack: 'counter' | 'raw' | 'multiline';
  readonly glob: string;
  readonly writers: readonly WriterPlan[];
  readonly buffer: {
    readonly maxBytes: string;
    readonly whenFull: 'block' | 'drop_oldest';
    readonly commitInterval: string;
    readonly batchBytes: string;
  };
  readonly linger: string;
  readonly workers: number;
  readonly encoding: 'protobuf' | 'json';
  readonly compression: 'gzip' | 'none';
  readonly concurrency: number;
  readonly lives: readonly LifePlan[];
  readonly collectorLives: readonly CollectorLife[];
  readonly network: readonly NetworkEvent[];
  /** The state directory on a file system of this size, filled up for a while. */
  readonly smallDisk: { readonly mib: number; readonly fullAtMs: number; readonly forMs: number } | undefined;
  /** How often a plain receiver does what with a request. */
  /** Chances of the plain receiver's answers; `mislead`: a redirect, a page, a method that is not allowed and the like. */
  readonly answers: {
    readonly refuse: number;
    readonly mislead?: number;
    readonly refuse_after: number;
    readonly drop_after: number;
  };
  /** The plain receiver answers 413 to a request with more records. */
  readonly recordsMax?: number;
  readonly tailMs: number;
}

export interface Points {
  readonly agent: readonly string[];
  readonly collector: readonly string[];
  /** How often a life of ordinary length passes them, where that was recorded. */
  readonly reached: Readonly<Record<string, number>>;
}

/** Everything about a run that its seed decides. */
export function planRun(seed: number, points: Points, mayMount: boolean): RunPlan {
  const random = new Prng(seed);
  const receiver = random.weighted({ shared: 4, own: 3, plain: 3 });
  const pack = random.weighted({ counter: 6, raw: 1, multiline: 2 });
  const tight = random.chance(0.2);
  const smallDisk =
    mayMount && random.chance(0.08)
      ? { mib: 6, fullAtMs: random.between(0, 1500), forMs: random.between(200, 1500) }
      : undefined;
  return {
    seed,
    receiver,
    pack,
    glob: random.weighted({ 'app.log': 4, '*.log': 4, '*.log*': 2 }),
    writers: Array.from(
      { length: random.weighted({ 1: 4, 2: 3, 4: 1 }) === '1' ? 1 : random.between(2, 4) },
      (_, i) => planWriter(`w${i}`, pack === 'multiline', tight, random),
    ),
    buffer: {
      maxBytes: tight || smallDisk !== undefined ? '1MiB' : random.pick(['1MiB', '4MiB', '1GiB']),
      whenFull: tight && random.chance(0.3) ? 'drop_oldest' : 'block',
      commitInterval: random.pick(['1ms', '10ms', '50ms', '200ms']),
      batchBytes: random.pick(['16KiB', '64KiB', '1MiB']),
    },
    linger: random.pick(['2s', '5s', '30s']),
    workers: random.weighted({ 0: 5, 1: 2, 2: 1 }) === '0' ? 0 : random.between(1, 2),
    encoding: receiver === 'plain' ? 'json' : random.weighted({ protobuf: 3, json: 1 }),
    compression: random.pick(['gzip', 'none']),
    concurrency: random.pick([1, 2, 4]),
    lives: planLives(points, receiver, random),
    collectorLives: receiver === 'own' ? planCollector(points, random) : [],
    network: Array.from(
      { length: random.weighted({ 0: 4, 1: 3, 2: 2, 3: 1 }) === '0' ? 0 : random.between(1, 3) },
      () => planNetwork(random),
    ),
    smallDisk,
    answers: random.chance(0.3)
      ? { refuse: 0, mislead: 0, refuse_after: 0, drop_after: 0 }
      : {
          refuse: random.fraction() / 4,
          mislead: random.fraction() / 4,
          refuse_after: random.fraction() / 3,
          drop_after: random.fraction() / 4,
        },
    tailMs: random.between(0, 500),
    recordsMax: random.chance(0.4) ? random.magnitude(20, 400) : 1e9,
  };
}

const RENAMES: readonly Rotation[] = [
  'rename',
  'rename',
  'delayed_create',
  'keep_handle',
  'beside',
  'gzip',
  'delete_after_read',
  'recreate_after_read',
];

function planWriter(name: string, multiline: boolean, tight: boolean, random: Prng): WriterPlan {
  const style = random.weighted({ renames: 6, copytruncate: 3, mixed: 1, kubelet: 3 });
  const kubelet = style === 'kubelet' ? random.pick(['pods', 'containers', 'docker'] as const) : undefined;
  return {
    name,
    ...(kubelet === undefined ? {} : { kubelet }),
    rotations:
      kubelet !== undefined
        ? // With Docker a restart goes on in the same file.
          kubelet === 'docker'
          ? ['kubelet']
          : ['kubelet', 'kubelet', 'restart']
        : style === 'renames'
          ? Array.from({ length: random.between(1, 3) }, () => random.pick(RENAMES))
          : style === 'copytruncate'
            ? ['copytruncate']
            : ['rename', 'copytruncate'],
    rotateEachMs: random.magnitude(40, 800),
    naming: random.weighted({ index: 3, date: 1 }),
    delayCompress: random.chance(0.5),
    multiline,
    header: !multiline && (style === 'copytruncate' || style === 'mixed') && random.chance(0.2),
    padMax: tight ? 800 : random.magnitude(5, 200),
    burstMax: random.magnitude(3, tight ? 800 : 400),
    pauseMaxMs: random.magnitude(3, 80),
    linesMax: tight ? 5000 : random.magnitude(200, 6000),
    rotationsMax: random.between(1, 8),
  };
}

function planLives(points: Points, receiver: string, random: Prng): LifePlan[] {
  const count = Number(random.weighted({ 0: 1, 1: 6, 2: 3, 3: 1 }));
  return Array.from({ length: count }, () => {
    const strike = random.weighted({ kill_point: 6, error: 2, none: 3 });
    const end = random.weighted({ kill: 4, terminate: 2, power_loss: 3 });
    return {
      faults:
        strike === 'kill_point' ? killAt(points, random) : strike === 'error' ? errorAt(points, random) : '',
      fromReady: strike !== 'none' || random.chance(0.6),
      lastsMs: random.between(0, 1000),
      end,
      dropSnapshot: random.chance(0.15),
      downMs: random.chance(0.5) ? 0 : random.between(1, 600),
      reloadsAtMs: random.chance(0.2) ? [random.between(0, 500)] : [],
      killCollectorToo: receiver === 'own' && random.chance(0.2),
    };
  });
}

function killAt(points: Points, random: Prng): string {
  // What concerns the buffer matters most, and files are read far more often than anything else is done.
  const area = random.weighted({ buffer: 6, tail: 2, http: 2, any: 1 });
  const among = points.agent.filter((point) => area === 'any' || point.startsWith(area));
  // What ordinary lives do not reach is struck now and then, at its first time.
  const often = among.filter((point) => (points.reached[point] ?? 0) > 0);
  const point = random.pick(often.length > 0 && random.chance(0.9) ? often : among);
  if (point.endsWith('.write.before') && random.chance(0.3))
    return `${point.slice(0, -'.before'.length)}:short_kill@${passage(point, points, random)}`;
  return `${point}:kill@${passage(point, points, random)}`;
}

/** A passage that a life is likely to reach; as often an early one as a late one. */
function passage(point: string, { reached }: Points, random: Prng): number {
  return random.magnitude(1, reached[point] ?? 1);
}

function errorAt(points: Points, random: Prng): string {
  const disk = points.agent.filter((point) => /^(buffer\.(segment|cursor|snapshot)|tail)\./.test(point));
  const writes = disk.filter((point) => point.endsWith('.write.before'));
  const action = random.pick(['eio', 'enospc']);
  return Array.from({ length: random.between(1, 3) }, () => {
    const plus = random.chance(0.25) ? '+' : '';
    if (random.chance(0.25)) {
      const point = random.pick(writes).slice(0, -'.before'.length);
      return `${point}:${random.pick(['short', `short_${action}`])}@${random.magnitude(1, 30)}${plus}`;
    }
    const point = random.chance(0.2)
      ? random.pick(['buffer.segment.*', 'buffer.cursor.*', 'tail.*'])
      : random.pick(disk);
    return `${point}:${action}@${random.magnitude(1, Math.max(2, points.reached[point] ?? 60))}${plus}`;
  }).join(',');
}

function planCollector(points: Points, random: Prng): CollectorLife[] {
  const often = points.collector.filter((point) => (points.reached[point] ?? 0) > 0);
  const among = often.length > 0 ? often : points.collector;
  return Array.from({ length: random.between(0, 2) }, () => ({
    faults: random.chance(0.6) ? collectorKill(random.pick(among), points, random) : '',
    lastsMs: random.between(100, 1500),
    end: random.weighted({ kill: 3, terminate: 1 }),
    downMs: random.chance(0.5) ? 0 : random.between(1, 500),
  }));
}

function collectorKill(point: string, points: Points, random: Prng): string {
  return `${point}:kill@${passage(point, points, random)}`;
}

function planNetwork(random: Prng): NetworkEvent {
  const atMs = random.between(0, 2500);
  const forMs = random.between(50, 800);
  const kind = random.weighted({ cut_request: 3, lose_responses: 4, refuse: 1, stall: 1, cut_all: 1 });
  switch (kind) {
    case 'cut_request':
      return { kind, atMs, forMs, bytes: random.magnitude(1, 200_000) };
    case 'lose_responses':
      return { kind, atMs, forMs, count: random.between(1, 6) };
    case 'refuse':
    case 'stall':
    case 'cut_all':
      return { kind, atMs, forMs };
  }
}
