import type { Database } from './sqlite.ts';

/** An agent as the store knows it. */
export interface StoredAgent {
  readonly agent: string;
  readonly epoch: string;
  readonly instance: string;
  readonly generation: number;
  readonly address: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** What the agent last said of itself, as JSON; null where it never did. */
  readonly heartbeat: string | null;
  readonly heartbeatMs: number;
  readonly conflicts: number;
  readonly conflict: string | null;
  readonly conflictMs: number;
  /** Batches up to here are no longer known one by one. */
  readonly settled: number;
  /** Records stored, by source: of all batches, and of those up to the heartbeat's `throughBatch`. */
  readonly stored: Readonly<Record<string, number>>;
  readonly storedThrough: Readonly<Record<string, number>>;
  /** Records that the agent had delivered before it came to this store, by source. */
  readonly before: Readonly<Record<string, number>>;
}

const AGENTS = `
  SELECT agent, epoch, instance, generation, address, first_seen_ms AS firstSeenMs, last_seen_ms AS lastSeenMs,
    heartbeat, heartbeat_ms AS heartbeatMs, conflicts, conflict, conflict_ms AS conflictMs, settled, delivered_before AS "before"
  FROM agent ORDER BY agent, last_seen_ms DESC, first_seen_ms DESC`;

type AgentRow = Omit<StoredAgent, 'stored' | 'storedThrough' | 'before'> & { readonly before: string | null };

/** Stands for the records from before until the agent says how many they were. */
export const UNKNOWN = 'unknown';

/** Everything the store knows of the agents; of each agent's epochs the one last heard of comes first. */
export function readAgents(db: Database): StoredAgent[] {
  const rows = db.prepare(AGENTS).all() as AgentRow[];
  return rows.map((row) => ({
    ...row,
    before:
      row.before === null || row.before === UNKNOWN ? {} : (JSON.parse(row.before) as StoredAgent['before']),
    stored: recordsThrough(db, row.agent, row.epoch, Number.MAX_SAFE_INTEGER),
    storedThrough: recordsThrough(db, row.agent, row.epoch, throughBatch(row.heartbeat)),
  }));
}

/** The batch up to which a stored heartbeat counts; 0 where it says none, or something that is no number. */
export function throughBatch(heartbeat: string | null): number {
  if (heartbeat === null) return 0;
  const said = (JSON.parse(heartbeat) as { throughBatch?: unknown } | null)?.throughBatch;
  return Number.isSafeInteger(said) ? (said as number) : 0;
}

/** Records stored of the batches up to `through`, by source. */
export function recordsThrough(
  db: Database,
  agent: string,
  epoch: string,
  through: number,
): Record<string, number> {
  const rows = db
    .prepare(
      `SELECT source, SUM(records) AS records FROM (
         SELECT source, records FROM settled_records WHERE agent = ? AND epoch = ?
         UNION ALL
         SELECT s.key, s.value FROM batch b, json_each(b.sources) s WHERE b.agent = ? AND b.epoch = ? AND b.number <= ?
         UNION ALL
         SELECT s.key, s.value FROM batch_part p, json_each(p.sources) s WHERE p.agent = ? AND p.epoch = ? AND p.number <= ?
       ) GROUP BY source ORDER BY source`,
    )
    .all(agent, epoch, agent, epoch, through, agent, epoch, through) as { source: string; records: number }[];
  return Object.fromEntries(rows.map(({ source, records }) => [source, records]));
}
