import picomatch from 'picomatch';
import type { Speaker } from './speaker.ts';
import type { Database } from './sqlite.ts';

/** What a sender shows to prove who it is: the digest of its secret, and whether the secret itself was shown. */
export interface Proof {
  /** SHA-256 of the secret, hexadecimal. */
  readonly digest: string;
  readonly isShown: boolean;
}

/** Who asks to be heard. */
export interface Claim {
  /** Where the request says which agent sends it. */
  readonly agent?: string;
  readonly proof?: Proof;
  /** Globs of the token, where it is bound to agents. */
  readonly agents?: readonly string[];
  /** Of the sender, for what is shown. */
  readonly address: string;
}

/** `unproven`: it may be the agent, and is to show its secret. */
export type Refusal = { readonly kind: 'forbidden' | 'unproven'; readonly message: string };

interface NameRow {
  readonly digest: string | null;
  readonly host: string | null;
}

/**
 * Who may speak in whose name. At first contact an agent leaves the digest of its secret, and the name of its host; from
 * then on, requests in its name must show that secret. Runs inside the transaction that stores the request.
 */
export class AgentNames {
  readonly #get;
  readonly #put;
  readonly #shown;
  readonly #forget;

  constructor(db: Database) {
    this.#get = db.prepare('SELECT digest, host FROM agent_name WHERE agent = ?');
    this.#put = db.prepare(
      `INSERT INTO agent_name (agent, digest, host) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest, host = excluded.host`,
    );
    this.#forget = db.prepare('UPDATE agent_name SET digest = NULL WHERE agent = ? AND digest IS NOT NULL');
    this.#shown = db.prepare(
      `UPDATE agent SET conflicts = conflicts + 1, conflict = ?, conflict_ms = ? WHERE agent = ?
       AND last_seen_ms = (SELECT MAX(last_seen_ms) FROM agent WHERE agent = ?)`,
    );
  }

  /**
   * Undefined where the claim may speak for all of these; else why not, which the agent's row shows from then on.
   * `keep`: what is learnt of a name is kept, for its agent's row will be.
   */
  check(claim: Claim, speakers: readonly Speaker[], nowMs: number, keep: boolean): Refusal | undefined {
    for (const speaker of speakers) {
      const refusal = this.#checkOne(claim, speaker, keep);
      if (refusal === undefined) continue;
      if (refusal.kind === 'forbidden' && speaker.agent !== undefined)
        this.#shown.run(refusal.message, nowMs, speaker.agent, speaker.agent);
      return refusal;
    }
    return undefined;
  }

  forgetSecret(agent: string): boolean {
    return this.#forget.run(agent).changes > 0;
  }

  #checkOne(claim: Claim, speaker: Speaker, keep: boolean): Refusal | undefined {
    const { agent } = speaker;
    const known = agent === undefined ? undefined : (this.#get.get(agent) as NameRow | undefined);
    const refusal = checkSecret(claim, agent, known) ?? checkToken(claim, speaker, known);
    if (refusal === undefined && keep) this.#keep(claim, speaker, known);
    return refusal;
  }

  /** What is learnt of the name: its secret's digest once, its host's name as long as nobody has proven another. */
  #keep(claim: Claim, { agent, host }: Speaker, known: NameRow | undefined): void {
    if (agent === undefined || claim.agent !== agent) return;
    const digest = known?.digest ?? claim.proof?.digest ?? null;
    const isProven = known?.digest != null;
    const name = known?.host == null || isProven ? (host ?? known?.host ?? null) : known.host;
    if (digest !== (known?.digest ?? null) || name !== (known?.host ?? null))
      this.#put.run(agent, digest, name);
  }
}

function checkSecret(
  claim: Claim,
  agent: string | undefined,
  known: NameRow | undefined,
): Refusal | undefined {
  const digest = known?.digest ?? null;
  if (agent === undefined || digest === null) return undefined;
  const proof = claim.agent === agent ? claim.proof : undefined;
  if (proof?.digest !== digest) {
    const what = `${claim.address} speaks as ${agent} without its secret`;
    return {
      kind: 'forbidden',
      message: `${what}. If it is that agent all the same (its state_dir was restored), let an admin send DELETE /api/v1/agents/${agent}/secret`,
    };
  }
  if (proof.isShown) return undefined;
  return { kind: 'unproven', message: `${agent} is known here; show its secret` };
}

/**
 * A token that is bound to agents speaks for those alone: by their id, or by their host's name. An id stays with the
 * name that first used it; whoever shows its secret may give it another name that the token is for.
 */
function checkToken(
  { agents, agent: sender, proof }: Claim,
  { agent, host }: Speaker,
  known: NameRow | undefined,
): Refusal | undefined {
  if (agents === undefined) return undefined;
  const fits = matcher(agents);
  if (agent !== undefined && fits(agent)) return undefined;
  const first = known?.host ?? undefined;
  const name = host ?? first;
  if (name === undefined)
    return forbidden(
      agents,
      agent === undefined ? 'the request names no host (host.name)' : `${agent} is none of them`,
    );
  if (!fits(name)) return forbidden(agents, `${name} is none of them`);
  if (first === undefined || first === name) return undefined;
  if (fits(first) && proof?.isShown === true && sender === agent) return undefined;
  return forbidden(agents, `${agent} belongs to ${first}, not to ${name}`);
}

function forbidden(agents: readonly string[], why: string): Refusal {
  return { kind: 'forbidden', message: `the token is for ${agents.join(', ')}: ${why}` };
}

const matchers = new Map<string, (name: string) => boolean>();

function matcher(globs: readonly string[]): (name: string) => boolean {
  const key = JSON.stringify(globs);
  let found = matchers.get(key);
  if (found === undefined) {
    if (matchers.size > 1000) matchers.clear();
    found = picomatch([...globs], { dot: true, nonegate: true, noextglob: true });
    matchers.set(key, found);
  }
  return found;
}
