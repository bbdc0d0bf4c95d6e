import { type BatchKey, BatchParts, type PartOfBatch } from './batch-parts.ts';
import { AgentNames, type Proof, type Refusal } from './agent-names.ts';
import { recordsThrough, throughBatch, UNKNOWN } from './fleet-query.ts';
import { SettledBatches } from './settled-batches.ts';
import type { Database } from './sqlite.ts';

/** What an agent says of itself in each request: `Idempotency-Key: agent/epoch/number`, `Taffrail-Instance: instance;gen=n`. */
export interface Sender {
  readonly agent: string;
  readonly epoch: string;
  /** Missing where the request is no batch of records. */
  readonly number?: number;
  /** Where the request is a part of the batch: `Idempotency-Key: agent/epoch/number/part`. */
  readonly part?: PartOfBatch;
  /** Missing from senders that do not tell. */
  readonly instance?: string;
  readonly generation?: number;
  /** The agent will not send a batch up to this number again. */
  readonly settled?: number;
  /** What it shows of its secret; missing from senders that have none. */
  readonly proof?: Proof;
  /** Globs of the token, where it is bound to agents. */
  readonly agents?: readonly string[];
  /** The name of its host, where the request says it beside its body. */
  readonly host?: string;
  readonly address: string;
}

export type Admission =
  | { readonly kind: 'new' }
  | { readonly kind: 'repeat' }
  /** Some of it is stored and some is not: it is to be sent in smaller parts. */
  | { readonly kind: 'split'; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string }
  | Refusal;

interface AgentRow {
  readonly instance: string;
  readonly generation: number;
  readonly generation_since_ms: number;
}

/** How long an older generation may go on speaking after a newer one began: what was under way at a restart. */
const OVERLAP_MS = 60_000;
/** Batches that are kept although they are settled, for the heartbeat to compare with. */
const KEPT_SETTLED_MAX = 5000;

/**
 * Which batches are stored already, and who speaks for an agent. Everything here runs inside the transaction that
 * stores the batch: a repeat after any crash finds either both or neither.
 */
export class AgentLedger {
  readonly #db: Database;
  readonly #agent;
  readonly #newAgent;
  readonly #seen;
  readonly #generation;
  readonly #conflict;
  readonly #hasBatch;
  readonly #addBatch;
  readonly #parts: BatchParts;
  readonly #settled: SettledBatches;
  readonly #names: AgentNames;

  readonly #hasLost: (nowMs: number) => boolean;

  /** `hasLost`: whether an agent that is not known may have been known before a loss: what it delivered is missing here. */
  constructor(db: Database, hasLost: (nowMs: number) => boolean = () => false) {
    this.#db = db;
    this.#hasLost = hasLost;
    this.#parts = new BatchParts(db);
    this.#settled = new SettledBatches(db);
    this.#names = new AgentNames(db);
    this.#agent = db.prepare(
      'SELECT instance, generation, generation_since_ms FROM agent WHERE agent = ? AND epoch = ?',
    );
    this.#newAgent = db.prepare(
      `INSERT INTO agent (agent, epoch, instance, generation, generation_since_ms, first_seen_ms, last_seen_ms, address, settled,
         heartbeat, heartbeat_ms, conflicts, conflict, conflict_ms, delivered_before)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0, 0, NULL, 0, ?)`,
    );
    this.#seen = db.prepare('UPDATE agent SET last_seen_ms = ?, address = ? WHERE agent = ? AND epoch = ?');
    this.#generation = db.prepare(
      'UPDATE agent SET instance = ?, generation = ?, generation_since_ms = ? WHERE agent = ? AND epoch = ?',
    );
    this.#conflict = db.prepare(
      'UPDATE agent SET conflicts = conflicts + 1, conflict = ?, conflict_ms = ? WHERE agent = ? AND epoch = ?',
    );
    this.#hasBatch = db.prepare('SELECT 1 FROM batch WHERE agent = ? AND epoch = ? AND number = ?');
    this.#addBatch = db.prepare('INSERT INTO batch (agent, epoch, number, sources) VALUES (?, ?, ?, ?)');
  }

  get names(): AgentNames {
    return this.#names;
  }

  /** Says whether the sender's batch is to be stored; if so, `record` must follow in the same transaction. */
  admit(sender: Sender, nowMs: number): Admission {
    const { agent, epoch, number } = sender;
    const row = this.#agent.get(agent, epoch) as AgentRow | undefined;
    const conflict = this.#checkIdentity(sender, row, nowMs);
    if (conflict !== undefined) {
      this.#conflict.run(conflict, nowMs, agent, epoch);
      return { kind: 'conflict', message: conflict };
    }
    this.#seen.run(nowMs, sender.address, agent, epoch);
    if (number === undefined) return { kind: 'new' };
    const isStored =
      this.#hasBatch.get(agent, epoch, number) !== undefined || this.#settled.has({ agent, epoch, number });
    return isStored ? { kind: 'repeat' } : this.#admitPart({ agent, epoch, number }, sender);
  }

  #admitPart(batch: BatchKey, { part }: Sender): Admission {
    const admission = this.#parts.admit(batch, part);
    switch (admission) {
      case 'new':
      case 'repeat':
        return { kind: admission };
      case 'split':
        return {
          kind: 'split',
          message: `a part of batch ${batch.number} is stored; send the rest of it in parts`,
        };
      case 'mismatch':
        return {
          kind: 'conflict',
          message: `part ${part?.part} of batch ${batch.number} holds other records than before`,
        };
    }
  }

  record(sender: Sender, sources: ReadonlyMap<string, number>): void {
    const { agent, epoch, number, part } = sender;
    if (number === undefined) return;
    const whole = part === undefined ? sources : this.#parts.record({ agent, epoch, number }, part, sources);
    if (whole !== undefined)
      this.#addBatch.run(agent, epoch, number, JSON.stringify(Object.fromEntries(whole)));
  }

  /**
   * Two processes with one state directory (a cloned machine) have one agent id and epoch. Each start counts the
   * generation up and draws a new instance: so the same generation from two instances is two processes, and so is an
   * older generation that will not fall silent.
   */
  #checkIdentity(sender: Sender, row: AgentRow | undefined, nowMs: number): string | undefined {
    const { agent, epoch, instance = '', generation = 0 } = sender;
    if (row === undefined) {
      // Its first batches went to another collector, or to this one before it lost its store.
      const before = (sender.settled ?? 1) > 1 && !this.#hasLost(nowMs) ? UNKNOWN : null;
      this.#newAgent.run(agent, epoch, instance, generation, nowMs, nowMs, nowMs, sender.address, before);
      return undefined;
    }
    if (sender.generation === undefined) return undefined;
    if (generation > row.generation) {
      this.#generation.run(instance, generation, nowMs, agent, epoch);
      return undefined;
    }
    if (generation === row.generation) {
      if (instance === row.instance) return undefined;
      return `two agents speak as ${agent}: generation ${generation} comes from instance ${instance} at ${sender.address} and from instance ${row.instance}. ${REMEDY}`;
    }
    if (nowMs - row.generation_since_ms <= OVERLAP_MS) return undefined;
    return `two agents speak as ${agent}: generation ${generation} at ${sender.address} goes on although generation ${row.generation} began ${Math.round((nowMs - row.generation_since_ms) / 1000)} s ago. ${REMEDY}`;
  }

  /**
   * Forgets single batches that will not be repeated; their counts are added up by source. Gives false where `through`
   * is above all that is stored: then nothing is forgotten, and the agent's row shows it.
   */
  settle(agent: string, epoch: string, through: number, nowMs = 0): boolean {
    const row = this.#db
      .prepare('SELECT settled, heartbeat FROM agent WHERE agent = ? AND epoch = ?')
      .get(agent, epoch) as { settled: number; heartbeat: string | null } | undefined;
    if (row === undefined || through <= row.settled) return true;
    if (through > this.#highest(agent, epoch)) {
      const what = `${agent} says that its batches up to ${through} are settled, which is above all that is stored here`;
      this.#conflict.run(`${what}; nothing was forgotten`, nowMs, agent, epoch);
      return false;
    }
    const compared = throughBatch(row.heartbeat);
    const limit = Math.max(Math.min(through, compared), through - KEPT_SETTLED_MAX);
    if (limit <= row.settled) return true;
    this.#settled.fold({ agent, epoch }, limit);
    this.#db.prepare('UPDATE agent SET settled = ? WHERE agent = ? AND epoch = ?').run(limit, agent, epoch);
    return true;
  }

  /** The highest number of which at least a part is stored and not yet forgotten. */
  #highest(agent: string, epoch: string): number {
    const { highest } = this.#db
      .prepare(
        `SELECT MAX(n) AS highest FROM (
           SELECT MAX(number) AS n FROM batch WHERE agent = ? AND epoch = ?
           UNION ALL SELECT MAX(number) FROM batch_part WHERE agent = ? AND epoch = ?)`,
      )
      .get(agent, epoch, agent, epoch) as { highest: number | null };
    return highest ?? 0;
  }

  /** Keeps what the agent says of itself. */
  heartbeat(sender: Sender, heartbeat: string, nowMs: number): Admission {
    const { deliveredRecords } = JSON.parse(heartbeat) as Spoken;
    const through = throughBatch(heartbeat);
    const refusal = this.#names.check(sender, [sender], nowMs, true);
    if (refusal !== undefined) return refusal;
    const admission = this.admit({ ...sender, settled: through + 1 }, nowMs);
    if (admission.kind === 'conflict') return admission;
    const { agent, epoch } = sender;
    this.#db
      .prepare('UPDATE agent SET heartbeat = ?, heartbeat_ms = ? WHERE agent = ? AND epoch = ?')
      .run(heartbeat, nowMs, agent, epoch);
    if (deliveredRecords !== undefined) this.#learnBefore(agent, epoch, through, deliveredRecords);
    return admission;
  }

  /** What an agent that came from elsewhere says first that it delivered, less what is here of it, was before. */
  #learnBefore(
    agent: string,
    epoch: string,
    through: number,
    delivered: Readonly<Record<string, number>>,
  ): void {
    const { before, settled } = this.#db
      .prepare('SELECT delivered_before AS "before", settled FROM agent WHERE agent = ? AND epoch = ?')
      .get(agent, epoch) as { before: string | null; settled: number };
    if (before !== UNKNOWN || through < settled) return;
    const here = recordsThrough(this.#db, agent, epoch, through);
    const found = Object.entries(delivered).map(([source, count]) => [
      source,
      Math.max(0, (Number(count) || 0) - (here[source] ?? 0)),
    ]);
    this.#db
      .prepare('UPDATE agent SET delivered_before = ? WHERE agent = ? AND epoch = ?')
      .run(JSON.stringify(Object.fromEntries(found)), agent, epoch);
  }
}

const REMEDY =
  'A state directory was copied, perhaps with its machine: on one of the two, stop the agent, remove its state_dir, and start it again';

/** The part of a heartbeat that is compared. */
interface Spoken {
  readonly deliveredRecords?: Readonly<Record<string, number>>;
}
