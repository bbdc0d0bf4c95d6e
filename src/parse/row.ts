export type FieldValue = string | number | boolean;

/** More distinct field names than this in one source are not kept as fields; the line itself still has them. */
const FIELD_NAMES_MAX = 1000;

/** Where a parser finds the slots of the names it meets. */
export interface FieldNames {
  /** The slot, or -1 where nobody wants the field. */
  find(name: string): number;
  /** Every field that is wanted, where those are known; undefined where all are. */
  wanted(): readonly { readonly name: string; readonly slot: number }[] | undefined;
}

/** Names to slots. What nobody asked for has no slot, unless every field is wanted (for records). */
export class FieldTable implements FieldNames {
  readonly names: string[] = [];
  readonly #slots = new Map<string, number>();
  readonly #open: boolean;

  /** `open`: fields met in lines get slots of their own. */
  constructor(open: boolean) {
    this.#open = open;
  }

  /** For the compiler: gives the field a slot. */
  declare(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.names.length;
    this.names.push(name);
    this.#slots.set(name, slot);
    return slot;
  }

  /** For parsers that meet names in lines: the slot, or -1 where nobody wants the field. */
  find(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    if (!this.#open || this.names.length >= FIELD_NAMES_MAX) return -1;
    return this.declare(flat(name));
  }

  wanted(): readonly { readonly name: string; readonly slot: number }[] | undefined {
    return this.#open ? undefined : this.names.map((name, slot) => ({ name, slot }));
  }

  /** The same table for an inner format whose names get a prefix. */
  prefixed(prefix: string): FieldNames {
    if (prefix === '') return this;
    return {
      find: (name) => this.find(prefix + name),
      wanted: () =>
        this.wanted()
          ?.filter(({ name }) => name.startsWith(prefix))
          .map(({ name, slot }) => ({ name: name.slice(prefix.length), slot })),
    };
  }
}

/** The fields of one line, by slot. One row is used for all lines of a scanner. */
export class Row {
  /** The event as text, without its last newline. */
  text = '';
  /** Which of the pack's patterns matched. */
  pattern = 0;
  readonly values: (FieldValue | undefined)[] = [];
  /**
   * Rows of a chunk with the same number have the same values wherever metrics take labels from; -1 where nothing is
   * known.
   */
  valueSet = -1;
  /** Counts chunks. */
  chunk = 0;
  /** Slots that have been set since `clear`, in the order they were met. */
  readonly touched: number[] = [];

  set(slot: number, value: FieldValue | undefined): void {
    if (slot < 0) return;
    const before = this.values[slot];
    if (before === undefined && value !== undefined) this.touched.push(slot);
    else if (before !== undefined && value === undefined) {
      const at = this.touched.indexOf(slot);
      if (at >= 0) this.touched.splice(at, 1);
    }
    this.values[slot] = value;
  }

  /** For a new chunk: nothing of what was there before, however it was put there. */
  reset(): void {
    this.values.fill(undefined);
    this.touched.length = 0;
    this.valueSet = -1;
    this.chunk++;
  }

  clear(): void {
    const { touched, values } = this;
    if (touched.length === 0) return;
    for (let i = 0; i < touched.length; i++) values[touched[i]!] = undefined;
    touched.length = 0;
  }
}

/**
 * A copy that does not hold on to the chunk it was cut from. V8 keeps the whole parent alive for a slice, so
 * whatever outlives a chunk must be copied.
 */
export function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}
