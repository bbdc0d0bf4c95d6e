import { isOfPod } from '../model/container-path.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Admission } from './admission.ts';
import { contentSize, isComplete, judgeCopy, judgeOpened, openedSize } from './copies.ts';
import { compareMembers, isLive, placeOf, type Family, type Member } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { Opened, OpenFiles } from './open-files.ts';
import { isBound, unbound, type Bound, type CatalogueEvents, type Sight } from './sight.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';

/** So many of the files that were rotated before our first look are remembered, as the border of what is ours. */
const HISTORY_KEPT = 4;
/** The clock of the file system, and the times that it rounds, may be behind ours by so much. */
const CLOCKS_APART_MS = 60_000;
/** Times of files go in steps of up to so much. */
const CLOCK_TICK_MS = 100;

/**
 * Files that no stream is known for: new ones are read, copies of what is known are not, nor is what was rotated
 * before us. In a family such a file was never read if it is newer than the oldest known one.
 */
export class Newcomers {
  readonly #clock: Clock;
  readonly #events: CatalogueEvents;
  readonly #admission: Admission;
  readonly #startedAtMs: number;

  constructor(table: StreamTable, files: OpenFiles, clock: Clock, log: Log, events: CatalogueEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#admission = new Admission(table, files, log);
    this.#startedAtMs = clock.now();
  }

  /** Files that no stream is known for, oldest first. */
  async place(state: SourceState, sight: Sight, sure: boolean): Promise<void> {
    const { family } = sight;
    if (sight.first) family.sinceMs ??= this.#clock.now();
    const members = unbound(state, sight).sort(compareMembers);
    const history: Member[] = [];
    for (const member of members) {
      // Under its other name, which a link or a rename during the listing gave it, it was begun with just now.
      if (isBound(state, sight, member)) continue;
      const seen = `${member.stat.size}:${member.stat.mtimeNs}`;
      if (family.passed.get(member.stat.id) === seen) continue;
      const byName = this.#judgeByName(state, sight, member, sure);
      const decision = byName === 'open' ? await this.#decide(state, sight, member) : byName;
      if (decision === 'begun' || decision === 'older') continue;
      if (decision === 'pass') family.passed.set(member.stat.id, seen);
      else if (decision === 'history') history.push(member);
      else if (decision === 'closed' && isComplete(member, this.#clock.now())) continue;
      else {
        // What is newer waits too, so that order is kept.
        this.#events.undecided(member.path);
        break;
      }
    }
    for (const member of history.slice(-HISTORY_KEPT)) {
      if (isBound(state, sight, member)) continue;
      const stream = await this.#admission.admit(state, family, member);
      if (stream === undefined) continue;
      stream.border = true;
      sight.bound.set(stream, member);
      this.#events.noted(stream);
    }
    if (family.passed.size > 2 * members.length + 64) family.passed.clear();
  }

  #judgeByName(
    state: SourceState,
    { family, first, bound }: Sight,
    member: Member,
    sure: boolean,
  ): 'open' | 'history' | 'older' | 'pass' | 'later' {
    if (member.compression === 'unsupported') return 'pass';
    if (!sure && (!isLive(member) || hasUnverified(bound))) return 'later';
    // Since this look placed what it knows, a read found a stream's content gone: its copy is to be looked for first.
    if (hasReplaced(family, bound)) return 'later';
    if (!member.matching) {
      if (first) return this.#wasBeforeUs(state, member) ? 'history' : 'open';
      if (isHistory(family, bound, member)) return 'older';
    }
    return member.stat.size === 0 && !isLive(member) && family.streams.size > 0 ? 'pass' : 'open';
  }

  /** One handle for judgement and reading: a path may lead to another file in between, even one of the same inode. */
  async #decide(
    state: SourceState,
    sight: Sight,
    member: Member,
  ): Promise<'begun' | 'pass' | 'later' | 'closed'> {
    const opened = await this.#admission.open(state, member);
    if (opened === undefined) return 'closed';
    const isEmpty = isLive(member) && opened.stat.size === 0;
    const decision = isEmpty ? 'read' : await this.#judgeAgainstStreams(sight, member, opened);
    if (decision === 'read') return (await this.#begin(state, sight, member, opened)) ? 'begun' : 'closed';
    await opened.content.close();
    return decision;
  }

  async #judgeAgainstStreams(
    { family, bound }: Sight,
    member: Member,
    opened: Opened,
  ): Promise<'read' | 'pass' | 'later'> {
    const live = isLive(member);
    for (const stream of family.streams) {
      const own = bound.get(stream);
      if (live && own !== undefined && (await this.#isAboutToBeCut(member, opened, stream, own)))
        return 'later';
      // A copy is made under a name that is as old as that of the original, or older.
      if (own !== undefined && compareMembers(member, own) > 0) continue;
      if (live && (stream.state === 'replaced' || stream.offset < ANCHOR_BYTES)) continue;
      const verdict = await judgeOpened(member, opened, stream, this.#clock.now());
      if (verdict === 'undecided' && !live) return 'later';
      if (verdict !== 'copy') continue;
      if (own === undefined || stream.offset >= ANCHOR_BYTES) return 'pass';
      // A few equal bytes and different sizes: rather two files with one header than a file and its copy.
      if ((await openedSize(member, opened)) === (await contentSize(own))) return 'pass';
      if ((await judgeCopy(own, stream, this.#clock.now())) !== 'copy') return 'later';
    }
    return 'read';
  }

  /** Whether this live file was just copied to the file of the stream: it is new once it was truncated. */
  async #isAboutToBeCut(member: Member, opened: Opened, stream: Stream, own: Member): Promise<boolean> {
    if (isLive(own) || own.compression !== 'none') return false;
    const nowMs = this.#clock.now();
    if (opened.stat.size !== own.stat.size || isComplete(own, nowMs)) return false;
    return (await judgeOpened(member, opened, stream, nowMs)) === 'copy';
  }

  #wasBeforeUs(state: SourceState, member: Member): boolean {
    const writtenMs = Number(member.stat.mtimeNs / 1_000_000n);
    // A pod is all ours that was not there yet when its node was first looked at.
    const sinceMs = state.followedSinceMs;
    if (sinceMs !== undefined && writtenMs + CLOCK_TICK_MS > sinceMs && isOfPod(placeOf(member)))
      return false;
    return state.fresh || writtenMs < this.#startedAtMs;
  }

  async #begin(state: SourceState, sight: Sight, member: Member, opened: Opened): Promise<boolean> {
    const { family, first, bound } = sight;
    const fromEnd = first && state.fresh && state.spec.startAt === 'end';
    const start = fromEnd ? 'end' : 'beginning';
    const stream = await this.#admission.enter(state, family, member, opened, start);
    if (stream === undefined) return false;
    bound.set(stream, member);
    stream.border = first && state.fresh;
    // Were it not known after a crash, the file would be taken for one to be read from its end.
    if (state.spec.startAt === 'end') this.#events.noted(stream);
    const before = family.latest;
    if (before?.state === 'following' || before?.state === 'replaced') {
      stream.after = before;
      before.atEnd = false;
      this.#events.ready(before);
    }
    family.latest = stream;
    this.#events.ready(stream);
    return true;
  }
}

/** Whether a stream may be bound to a file that only has its old inode: that file would not be seen as unknown. */
function hasUnverified(bound: Bound): boolean {
  for (const stream of bound.keys()) if (!stream.verified && stream.fingerprint.bytes > 0) return true;
  return false;
}

function hasReplaced(family: Family, bound: Bound): boolean {
  for (const stream of family.streams) if (stream.state === 'replaced' && bound.has(stream)) return true;
  return false;
}

/** Where no file is left that was there before us, time decides: names do not tell what was missed. */
function isHistory(family: Family, bound: Bound, unknown: Member): boolean {
  const floor = oldestKnown(family, bound, unknown);
  if (floor !== undefined) return compareMembers(unknown, floor) <= 0;
  const writtenMs = Number(unknown.stat.mtimeNs / 1_000_000n);
  return family.sinceMs !== undefined && writtenMs + CLOCKS_APART_MS < family.sinceMs;
}

/**
 * The file on the border to history: the oldest with content that was there at the first look.
 * Files that came later are no border, for a listing made while files are renamed may have missed older ones. Nor is
 * one that was found empty for what was written since: that may have been in it, and copied and cut before it was read.
 */
function oldestKnown(family: Family, bound: Bound, unknown: Member): Member | undefined {
  let oldest: Member | undefined;
  for (const stream of family.streams) {
    const member = bound.get(stream);
    if (member === undefined || !stream.border || stream.fingerprint.bytes === 0) continue;
    if (stream.emptyAtNs !== undefined && unknown.stat.mtimeNs > stream.emptyAtNs) continue;
    if (oldest === undefined || compareMembers(member, oldest) < 0) oldest = member;
  }
  return oldest;
}
