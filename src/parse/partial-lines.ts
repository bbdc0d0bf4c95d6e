import { CRI_LINE } from './format/cri-parser.ts';

/** Nobody writes a line in more parts than this; what comes after is a line of its own. */
const PARTS_MAX = 500;
const BYTES_MAX = 1024 * 1024;

/** An event made of parts, of the lines read so far. */
export interface JoinedLine {
  readonly text: string;
  readonly lines: number;
  readonly bytes: number;
}

/**
 * Joins the partial lines of a container's two streams, which may stand between each other. Lines come out in the
 * order of their first part, and only when none is still open: so what has come out is always all there is
 * up to some line.
 */
export class PartialLines {
  #queue: { text: string; readonly stream: string; open: boolean; lines: number; bytes: number }[] = [];
  #open = 0;

  push(line: string, bytes: number): void {
    const match = CRI_LINE.exec(line);
    const stream = match?.[2] ?? '';
    const partial = match?.[3]?.startsWith('P') === true;
    const before = match === null ? undefined : this.#queue.find((one) => one.open && one.stream === stream);
    if (before === undefined) {
      this.#queue.push({ text: line, stream, open: partial, lines: 1, bytes });
      if (partial) this.#open++;
    } else {
      before.text += line.slice(match![0].length);
      before.lines++;
      before.bytes += bytes;
      before.open = partial && before.lines < PARTS_MAX && before.bytes < BYTES_MAX;
      if (!before.open) this.#open--;
    }
    // A stream that never ends its line must not hold up the other for ever.
    if (this.#queue.length >= PARTS_MAX) this.close();
  }

  /** Takes open lines as they are. */
  close(): void {
    for (const one of this.#queue) one.open = false;
    this.#open = 0;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** Whether what was pushed can come out. */
  get ready(): boolean {
    return this.#open === 0;
  }

  /** All lines since the last call. */
  take(): JoinedLine[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#open = 0;
    return queue;
  }
}
