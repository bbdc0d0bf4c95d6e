import { shownPath } from '../platform/path-bytes.ts';
import type { Stream } from './stream.ts';

/** What an operator is shown of a file. */
export interface StreamStatus {
  readonly source: string;
  readonly path: string;
  readonly stream: number;
  readonly offset: number;
  readonly size: number;
  readonly lagBytes: number;
  readonly state: 'following' | 'replaced' | 'finished' | 'unreadable';
  readonly error?: string;
}

export function statusOf(stream: Stream): StreamStatus {
  const size = Math.max(stream.size, stream.offset);
  return {
    source: stream.source.name,
    path: shownPath(stream.path),
    stream: stream.number,
    offset: stream.offset,
    size,
    lagBytes: stream.state === 'following' ? size - stream.offset : 0,
    state: stream.state === 'following' || stream.state === 'replaced' ? stream.state : 'finished',
    ...(stream.error === undefined ? {} : { error: stream.error }),
  };
}
