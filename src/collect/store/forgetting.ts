import { type Database, inTransaction } from './sqlite.ts';

/** Removes agents that are long gone. */
export class Forgetting {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Everything not heard of since `cutoffMs`, in one go. */
  step(cutoffMs: number): false {
    inTransaction(this.#db, () => this.#forgetAgents(cutoffMs));
    return false;
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
}
