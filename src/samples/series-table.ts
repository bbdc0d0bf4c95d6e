import { SharedBytes } from './arena.ts';
import { type HeadColumns, STATE } from './head-columns.ts';
import { SymbolTable } from './symbols.ts';

/** Name and value, in turn: sorted by name, no name twice, no empty value. */
export type LabelPairs = readonly string[];

/** Words for the labels of all series. */
const LABEL_BYTES_MAX = 2 ** 32 - 2 ** 24;

/**
 * Which series there are: labels to numbers (sid). Labels are kept as numbers of symbols, so that a series costs no
 * object and no string; other threads read them. A free number is given again.
 */
export class SeriesTable {
  readonly symbols = new SymbolTable();
  /** For each series how many symbols, then name and value in turn. */
  readonly labelIds = SharedBytes.make(LABEL_BYTES_MAX);
  /** The sid of each series in the order in which they were added. */
  readonly additions = SharedBytes.make(2 ** 30);
  readonly #columns: HeadColumns;
  readonly #max: number;
  /** In words. Place 0 is no place. */
  #end = 1;
  readonly #freePlaces: number[][] = [];
  readonly #freeSids: number[] = [];
  #slots = new Uint32Array(1 << 12);
  #count = 0;
  #added = 0;
  #next = 1;

  constructor(columns: HeadColumns, max: number) {
    this.#columns = columns;
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** One more than the highest sid. */
  get next(): number {
    return this.#next;
  }

  /** Whether there is room for one more. */
  get isFull(): boolean {
    if (this.#count >= this.#max) return true;
    return this.#freeSids.length === 0 && this.#next >= this.#columns.capacity;
  }

  /** The sid of a series that is known. */
  find(pairs: LabelPairs): number | undefined {
    const ids: number[] = [];
    for (const text of pairs) {
      const id = this.symbols.find(text);
      if (id === undefined) return undefined;
      ids.push(id);
    }
    const sid = this.#slots[this.#slotOf(ids)]!;
    return sid === 0 ? undefined : sid;
  }

  /** Makes a series of labels that are not known; the caller has asked `isFull`. */
  add(pairs: LabelPairs): number {
    const sid = this.#freeSids.pop() ?? this.#next;
    this.put(sid, pairs);
    return sid;
  }

  /** Puts a series at a number, as a snapshot or a log says. What was there goes. */
  put(sid: number, pairs: LabelPairs): void {
    this.putIds(
      sid,
      pairs.map((text) => this.symbols.intern(text)),
    );
  }

  /** The same, with the numbers of the symbols. */
  putIds(sid: number, ids: readonly number[]): void {
    if (sid >= this.#columns.capacity)
      throw new RangeError(`series number ${sid} of ${this.#columns.capacity}`);
    if (this.#columns.labelsAt[sid] !== 0) this.forget(sid);
    const place = this.#freePlaces[ids.length]?.pop() ?? this.#newPlace(ids.length);
    const { words } = this.labelIds;
    words[place] = ids.length;
    ids.forEach((id, i) => (words[place + 1 + i] = id));
    this.#columns.labelsAt[sid] = place;
    if ((this.#count + 1) * 2 > this.#slots.length) this.#rehash();
    this.#slots[this.#slotOf(ids)] = sid;
    this.#count++;
    for (; this.#next < sid; this.#next++) this.#freeSids.push(this.#next);
    if (sid >= this.#next) this.#next = sid + 1;
    this.#publish(sid);
  }

  #publish(sid: number): void {
    if (!this.additions.reserve((this.#added + 1) * 4)) throw new RangeError('no room for more series');
    this.additions.words[this.#added++] = sid;
    const { state } = this.#columns;
    Atomics.store(state, STATE.next, this.#next);
    Atomics.store(state, STATE.added, this.#added);
  }

  has(sid: number): boolean {
    return sid > 0 && sid < this.#next && this.#columns.labelsAt[sid] !== 0;
  }

  /** Its labels, as they were put. */
  pairs(sid: number): string[] {
    return this.#ids(sid).map((id) => this.symbols.text(id));
  }

  /** Symbols of its labels. */
  ids(sid: number): readonly number[] {
    return this.#ids(sid);
  }

  #ids(sid: number): number[] {
    const place = this.#columns.labelsAt[sid]!;
    const { words } = this.labelIds;
    const ids: number[] = [];
    for (let i = 0; i < words[place]!; i++) ids.push(words[place + 1 + i]!);
    return ids;
  }

  /** The series is gone. Its number is not given again before `reuse`. */
  forget(sid: number): void {
    const ids = this.#ids(sid);
    this.#unslot(this.#slotOf(ids));
    (this.#freePlaces[ids.length] ??= []).push(this.#columns.labelsAt[sid]!);
    this.#columns.labelsAt[sid] = 0;
    this.#count--;
    Atomics.add(this.#columns.state, STATE.forgotten, 1);
  }

  /** Numbers of series that were forgotten, of which no log speaks any more. */
  reuse(sids: readonly number[]): void {
    for (const sid of sids) if (!this.has(sid)) this.#freeSids.push(sid);
  }

  #newPlace(symbols: number): number {
    const place = this.#end;
    if (!this.labelIds.reserve((place + symbols + 1) * 4))
      throw new RangeError('no room for labels of more series');
    this.#end += symbols + 1;
    return place;
  }

  /** Where the series with these labels is, or the free slot where it goes. */
  #slotOf(ids: readonly number[]): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashIds(ids) & mask; ; slot = (slot + 1) & mask) {
      const sid = this.#slots[slot]!;
      if (sid === 0 || this.#is(sid, ids)) return slot;
    }
  }

  #is(sid: number, ids: readonly number[]): boolean {
    const place = this.#columns.labelsAt[sid]!;
    const { words } = this.labelIds;
    if (words[place] !== ids.length) return false;
    for (let i = 0; i < ids.length; i++) if (words[place + 1 + i] !== ids[i]) return false;
    return true;
  }

  /** Takes a series out; those behind it, which gave way to it, move up. */
  #unslot(slot: number): void {
    const mask = this.#slots.length - 1;
    let hole = slot;
    this.#slots[hole] = 0;
    for (let at = (hole + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = hashIds(this.#ids(this.#slots[at]!)) & mask;
      const stays = hole <= at ? hole < home && home <= at : hole < home || home <= at;
      if (stays) continue;
      this.#slots[hole] = this.#slots[at]!;
      this.#slots[at] = 0;
      hole = at;
    }
  }

  #rehash(): void {
    const sids = this.#slots.filter((sid) => sid !== 0);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (const sid of sids) this.#slots[this.#slotOf(this.#ids(sid))] = sid;
  }
}

function hashIds(ids: readonly number[]): number {
  let hash = 0x9e3779b9 | 0;
  for (const id of ids) {
    hash = Math.imul(hash ^ id, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
