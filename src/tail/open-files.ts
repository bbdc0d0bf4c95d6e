import { isAbsent, openForReading, statDescriptor, type FileStat } from '../platform/files.ts';
import { CompressedContent } from './compressed-content.ts';
import { PlainContent, type Content } from './content.ts';
import type { Compression } from './rotated-name.ts';
import type { Stream } from './stream.ts';

export interface Opened {
  readonly content: Content;
  readonly stat: FileStat;
  /** The content's; it closes with it. */
  readonly descriptor: number;
}

/** `undefined` where there is no regular file at the path, or one whose compression we cannot read. */
export async function openContent(path: string, compression: Compression): Promise<Opened | undefined> {
  if (compression === 'unsupported') return undefined;
  let descriptor: number;
  try {
    descriptor = await openForReading('tail', path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  const plain = new PlainContent(descriptor);
  try {
    const stat = await statDescriptor('tail', descriptor);
    if (stat.kind !== 'file') {
      await plain.close();
      return undefined;
    }
    return {
      stat,
      descriptor,
      content: compression === 'none' ? plain : new CompressedContent(descriptor, compression),
    };
  } catch (error) {
    await plain.close();
    throw error;
  }
}

/**
 * The open handles of streams, at most `max` of them beyond those in use: a handle is what keeps a file readable
 * that is renamed or deleted, so each stream keeps its own for as long as there is room, and the one unused for
 * longest goes first.
 */
export class OpenFiles {
  readonly #max: number;
  /** In order of use. */
  readonly #streams = new Set<Stream>();

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#streams.size;
  }

  /** Gives the stream its handle, which must be of the stream's own file. */
  async attach(stream: Stream, content: Content): Promise<void> {
    const before = stream.content;
    stream.content = content;
    this.#streams.add(stream);
    await before?.close();
    await this.#makeRoom();
  }

  touch(stream: Stream): void {
    if (this.#streams.delete(stream)) this.#streams.add(stream);
  }

  async release(stream: Stream): Promise<void> {
    const { content } = stream;
    stream.content = undefined;
    this.#streams.delete(stream);
    await content?.close();
  }

  async #makeRoom(): Promise<void> {
    if (this.#streams.size <= this.#max) return;
    for (const stream of this.#streams) {
      if (this.#streams.size <= this.#max) return;
      // A file that is no longer at a path could not be opened again.
      if (!stream.busy && stream.bound) await this.release(stream);
    }
  }
}
