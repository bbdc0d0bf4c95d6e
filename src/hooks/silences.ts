import { randomUUID } from 'node:crypto';
import { type AlertMatcher, matchesAll } from '../model/alert-matcher.ts';
import type { Labels } from '../model/series.ts';
import type { Clock } from '../platform/clock.ts';
import type { HookRecord, HookState } from './hook-state.ts';
import { SilenceError, compileMatchers, gettable, readPostedSilence, silenceState } from './silence.ts';
import type { GettableSilence, PostedSilence, Silence } from './silence.ts';

const MAX_SILENCES = 10_000;
/** How long expired silences are still listed; Alertmanager's default. */
const KEPT_MS = 120 * 3_600_000;

/** Silences in Alertmanager's API v2 shapes; each change is durable when it resolves. */
export class Silences {
  readonly #state: HookState;
  readonly #clock: Clock;
  readonly #commit: (records: readonly HookRecord[]) => Promise<void>;
  readonly #compiled = new WeakMap<Silence, readonly AlertMatcher[]>();

  constructor(state: HookState, clock: Clock, commit: (records: readonly HookRecord[]) => Promise<void>) {
    this.#state = state;
    this.#clock = clock;
    this.#commit = commit;
  }

  /**
   * Takes a `postableSilence`. With the id of a silence that has not expired, that one is changed; where its
   * matchers change, it ends and a new one takes its place, so that the past stays true.
   */
  async add(body: unknown): Promise<{ readonly silenceID: string }> {
    const nowMs = this.#clock.now();
    const posted = readPostedSilence(body, nowMs);
    const earlier = posted.id === undefined ? undefined : this.#find(posted.id);
    if (earlier === undefined && this.#state.silences.size >= MAX_SILENCES)
      throw new SilenceError(`there are ${MAX_SILENCES} silences already`);
    const records: HookRecord[] = [];
    let id: string = randomUUID();
    let startsAtMs = posted.startsAtMs;
    if (earlier !== undefined && silenceState(earlier, nowMs) !== 'expired') {
      if (sameMatchers(earlier, posted)) {
        id = earlier.id;
        if (silenceState(earlier, nowMs) === 'active') startsAtMs = earlier.startsAtMs;
      } else records.push({ kind: 'silence', silence: ended(earlier, nowMs) });
    }
    const { id: _, ...content } = posted;
    records.push({ kind: 'silence', silence: { ...content, id, startsAtMs, updatedAtMs: nowMs } });
    await this.#commit(records);
    return { silenceID: id };
  }

  /** False when there is no such silence. One that has expired already stays as it is. */
  async expire(id: string): Promise<boolean> {
    const silence = this.#state.silences.get(id);
    if (silence === undefined) return false;
    const nowMs = this.#clock.now();
    if (silenceState(silence, nowMs) !== 'expired')
      await this.#commit([{ kind: 'silence', silence: ended(silence, nowMs) }]);
    return true;
  }

  get(id: string): GettableSilence | undefined {
    const silence = this.#state.silences.get(id);
    return silence === undefined ? undefined : gettable(silence, this.#clock.now());
  }

  /** Active ones first by their end, then pending by their start, then expired with the latest first. */
  list(): readonly GettableSilence[] {
    const nowMs = this.#clock.now();
    const rank = { active: 0, pending: 1, expired: 2 };
    const key = (silence: Silence): readonly [number, number] => {
      const state = silenceState(silence, nowMs);
      const order = { active: silence.endsAtMs, pending: silence.startsAtMs, expired: -silence.endsAtMs };
      return [rank[state], order[state]];
    };
    const sorted = [...this.#state.silences.values()].sort(
      (a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1],
    );
    return sorted.map((silence) => gettable(silence, nowMs));
  }

  /** A test of labels against what is active at this moment. */
  muter(): (labels: Labels) => boolean {
    const silencedBy = this.silencedBy();
    return (labels) => silencedBy(labels).length > 0;
  }

  /** The ids of the silences that are active at this moment and fit the labels. */
  silencedBy(): (labels: Labels) => readonly string[] {
    const nowMs = this.#clock.now();
    const active = [...this.#state.silences.values()]
      .filter((silence) => silenceState(silence, nowMs) === 'active')
      .map((silence) => ({ id: silence.id, matchers: this.#matchersOf(silence) }));
    return (labels) => active.filter(({ matchers }) => matchesAll(matchers, labels)).map(({ id }) => id);
  }

  /** Forgets what expired long ago. */
  outdated(): readonly HookRecord[] {
    const before = this.#clock.now() - KEPT_MS;
    const old = [...this.#state.silences.values()].filter(
      (silence) => Math.max(silence.endsAtMs, silence.updatedAtMs) < before,
    );
    return old.map(({ id }) => ({ kind: 'silence_gone', id }));
  }

  #find(id: string): Silence {
    const silence = this.#state.silences.get(id);
    if (silence === undefined)
      throw new SilenceError(`there is no silence ${JSON.stringify(id.slice(0, 100))}`, 404);
    return silence;
  }

  #matchersOf(silence: Silence): readonly AlertMatcher[] {
    let matchers = this.#compiled.get(silence);
    if (matchers === undefined) {
      matchers = compileMatchers(silence.matchers);
      this.#compiled.set(silence, matchers);
    }
    return matchers;
  }
}

/** A pending silence that is ended never began. */
function ended(silence: Silence, nowMs: number): Silence {
  return { ...silence, startsAtMs: Math.min(silence.startsAtMs, nowMs), endsAtMs: nowMs, updatedAtMs: nowMs };
}

function sameMatchers(a: Silence, b: PostedSilence): boolean {
  return JSON.stringify(a.matchers) === JSON.stringify(b.matchers);
}
