import type { Family, Member } from './family.ts';
import type { Stream } from './stream.ts';
import type { SourceState } from './stream-table.ts';
import type { Passing } from './walk.ts';

export interface Missed {
  readonly reason: 'truncated' | 'deleted';
  /** -1 where unknown. */
  readonly bytes: number;
}

/** What the catalogue tells the tailer. */
export interface CatalogueEvents {
  /** The stream may have something to read. */
  ready(stream: Stream): void;
  /** The stream is no longer what it was; `missed` where content is known to be gone. */
  noted(stream: Stream, missed?: Missed): void;
  /** Something could not be decided yet: look again soon, at this path or ('') at everything. */
  undecided(path: string): void;
  /** A file has grown and the kernel gave no hint. */
  silent(stream: Stream): void;
  /** What a look goes by, to be watched. */
  readonly passing: Passing;
  /** A look at everything begins; it has gone by all that there is. */
  lookBegins(): void;
  lookEnds(): void;
}

/** What one look has found of a family. */
export interface Sight {
  readonly family: Family;
  readonly members: readonly Member[];
  /** Nothing was known of the family before. */
  readonly first: boolean;
  readonly bound: Bound;
  /** The look took in every folder of the source. */
  readonly complete: boolean;
}

/** Which file each stream is, as far as this look has found out. */
export type Bound = Map<Stream, Member>;

/** The files of a family that no stream is bound to. */
export function unbound(state: SourceState, sight: Sight): Member[] {
  return sight.members.filter((member) => !isBound(state, sight, member));
}

export function isBound(state: SourceState, { bound }: Sight, member: Member): boolean {
  const stream = state.byId.get(member.stat.id);
  return stream !== undefined && bound.has(stream);
}
