import type { SeriesIds } from './series-ids.ts';
import { type Database, inTransaction } from './sqlite.ts';

const STEP_SERIES = 500;

/** Removes what retention has emptied: series without samples, agents that are long gone. */
export class Forgetting {
  readonly #db: Database;
  readonly #series: SeriesIds;

  constructor(db: Database, series: SeriesIds) {
    this.#db = db;
    this.#series = series;
  }

  /** Everything not heard of since `cutoffMs`. Returns whether there is more to forget. */
  step(cutoffMs: number): boolean {
    const gone = inTransaction(this.#db, () => {
      this.#forgetAgents(cutoffMs);
      return this.#forgetSeries(cutoffMs);
    });
    for (const key of gone) this.#series.forget(key);
    return gone.length === STEP_SERIES;
  }

  #forgetAgents(cutoffMs: number): void {
    const agents = this.#db
      .prepare('SELECT agent, epoch FROM agent WHERE last_seen_ms < ? AND heartbeat_ms < ?')
      .all(cutoffMs, cutoffMs) as { agent: string; epoch: string }[];
    for (const { agent, epoch } of agents) {
      for (const table of ['batch', 'batch_part', 'settled_records', 'settled_batch', 'agent']) {
        this.#db.prepare(`DELETE FROM ${table} WHERE agent = ? AND epoch = ?`).run(agent, epoch);
      }
      // Whoever comes with this id after that is a first contact.
      this.#db
        .prepare(
          'DELETE FROM agent_name WHERE agent = ? AND NOT EXISTS (SELECT 1 FROM agent WHERE agent = ?)',
        )
        .run(agent, agent);
    }
  }

  /** `last_ms` may lag behind what is stored, so samples are looked for before a series goes. */
  #forgetSeries(cutoffMs: number): string[] {
    const idle = this.#db
      .prepare(
        `SELECT sid, labels FROM series s WHERE last_ms < ?
         AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.sid = s.sid) LIMIT ?`,
      )
      .all(cutoffMs, STEP_SERIES) as { sid: number; labels: string }[];
    if (idle.length === 0) return [];
    const sids = JSON.stringify(idle.map(({ sid }) => sid));
    const alive = this.#db
      .prepare('SELECT DISTINCT sid FROM sample WHERE sid IN (SELECT value FROM json_each(?))')
      .all(sids) as { sid: number }[];
    const living = new Set(alive.map(({ sid }) => sid));
    const dead = idle.filter(({ sid }) => !living.has(sid));
    const remove = this.#db.prepare('DELETE FROM series WHERE sid = ?');
    for (const { sid } of dead) remove.run(sid);
    return dead.map(({ labels }) => labels);
  }
}
