import { closeDescriptor, readAt } from '../platform/files.ts';

/** A file's content, decompressed where it is compressed, readable at any offset. */
export interface Content {
  /** Fills `target[at … at + length]` from `offset`; fewer bytes only where the content ends. */
  read(target: Buffer, at: number, length: number, offset: number): Promise<number>;
  /** Whether nothing will be appended: true for compressed files. */
  readonly sealed: boolean;
  close(): Promise<void>;
}

export function plainContent(descriptor: number): Content {
  return {
    sealed: false,
    read: (target, at, length, offset) => readAt('tail', descriptor, target, at, length, offset),
    close: () => closeDescriptor(descriptor),
  };
}
