import { SharedBytes } from './arena.ts';

/** What is kept of each series besides its chunks, as columns by series number (sid) that all threads see. */
export interface HeadBuffers {
  readonly capacity: number;
  readonly columns: SharedArrayBuffer;
  readonly chunks: SharedArrayBuffer;
  readonly symbols: SharedArrayBuffer;
  readonly symbolStarts: SharedArrayBuffer;
  readonly labelIds: SharedArrayBuffer;
  readonly additions: SharedArrayBuffer;
  readonly state: SharedArrayBuffer;
}

/** Places in `state`. */
export const STATE = {
  /** One more than the highest sid that was given. */
  next: 0,
  /** Raised when series were forgotten: what is derived from the catalogue is made anew. */
  forgotten: 1,
  /** Series that were added, one after the other (see `SeriesTable.additions`). */
  added: 2,
  /** Raised when block files came or went. */
  blocks: 3,
} as const;

const STATE_WORDS = 16;
/** Bytes of all columns for one series. */
const ROW_BYTES = 8 * 5 + 4 * 5 + 2 * 3 + 2;

export class HeadColumns {
  readonly capacity: number;
  /** Odd while the series is being changed. */
  readonly version: Int32Array;
  /** The newest sample; `-Infinity` before the first. */
  readonly lastTime: Float64Array;
  readonly lastValue: Float64Array;
  readonly lastStale: Uint8Array;
  /** The oldest sample that it ever had. */
  readonly firstTime: Float64Array;
  /** The open chunk: address of its bytes (0: none), room in units, bytes and samples in it, its first time. */
  readonly openAt: Uint32Array;
  readonly openUnits: Uint16Array;
  readonly openLength: Uint16Array;
  readonly openCount: Uint16Array;
  readonly openTime: Float64Array;
  /** The writer's state at the end of the open chunk. */
  readonly step: Int32Array;
  readonly whole: Float64Array;
  readonly scale: Uint8Array;
  /** The newest closed chunk; each names the one before. */
  readonly closed: Uint32Array;
  /** Where its labels are in `labelIds`; 0: there is no such series. */
  readonly labelsAt: Uint32Array;
  readonly state: Int32Array;

  constructor({ capacity, columns, state }: Pick<HeadBuffers, 'capacity' | 'columns' | 'state'>) {
    this.capacity = capacity;
    let at = 0;
    const place = (size: number): number => {
      const start = at;
      at += capacity * size;
      return start;
    };
    this.lastTime = new Float64Array(columns, place(8), capacity);
    this.lastValue = new Float64Array(columns, place(8), capacity);
    this.firstTime = new Float64Array(columns, place(8), capacity);
    this.openTime = new Float64Array(columns, place(8), capacity);
    this.whole = new Float64Array(columns, place(8), capacity);
    this.version = new Int32Array(columns, place(4), capacity);
    this.openAt = new Uint32Array(columns, place(4), capacity);
    this.step = new Int32Array(columns, place(4), capacity);
    this.closed = new Uint32Array(columns, place(4), capacity);
    this.labelsAt = new Uint32Array(columns, place(4), capacity);
    this.openUnits = new Uint16Array(columns, place(2), capacity);
    this.openLength = new Uint16Array(columns, place(2), capacity);
    this.openCount = new Uint16Array(columns, place(2), capacity);
    this.lastStale = new Uint8Array(columns, place(1), capacity);
    this.scale = new Uint8Array(columns, place(1), capacity);
    this.state = new Int32Array(state);
  }

  static make(seriesMax: number): Pick<HeadBuffers, 'capacity' | 'columns' | 'state'> {
    const capacity = Math.ceil((seriesMax + 1) / 8) * 8;
    return {
      capacity,
      columns: new SharedArrayBuffer(capacity * ROW_BYTES),
      state: new SharedArrayBuffer(STATE_WORDS * 4),
    };
  }
}

/** The shared memory of a head as a reading thread sees it. */
export class HeadView {
  readonly columns: HeadColumns;
  readonly chunks: SharedBytes;
  readonly symbols: SharedBytes;
  readonly symbolStarts: SharedBytes;
  readonly labelIds: SharedBytes;
  readonly additions: SharedBytes;

  constructor(buffers: HeadBuffers) {
    this.columns = new HeadColumns(buffers);
    this.chunks = new SharedBytes(buffers.chunks);
    this.symbols = new SharedBytes(buffers.symbols);
    this.symbolStarts = new SharedBytes(buffers.symbolStarts);
    this.labelIds = new SharedBytes(buffers.labelIds);
    this.additions = new SharedBytes(buffers.additions);
  }

  state(place: keyof typeof STATE): number {
    return Atomics.load(this.columns.state, STATE[place]);
  }

  /** Sees what was added since. */
  refresh(): void {
    for (const one of [this.chunks, this.symbols, this.symbolStarts, this.labelIds, this.additions])
      one.refresh();
  }
}
