import { describe, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { scanInParts } from '../../src/agent/scan-in-parts.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { Fragment } from '../../src/model/slice.ts';

/** Fails on a chunk with a `bad` line, and holds then what it had read; an event goes on where a line begins with a space. */
class Reader {
  #held: string[] = [];

  scan(chunk: Chunk): Fragment {
    const text = chunk.bytes.toString();
    const events = text.match(/[^\n]*\n(?: [^\n]*\n)*/g) ?? [];
    const whole = chunk.flush ? events : events.slice(0, -1);
    for (const event of whole) {
      if (event.includes('bad')) throw new Error('bad line');
      this.#held.push(event);
    }
    const read = this.#held.join('');
    this.#held = [];
    const lines = read.split('\n').length - 1;
    return {
      consumed: read.length,
      parserState: `${chunk.parserState ?? ''}.`,
      counts: { ...NO_LINES, lines, matched: lines, bytes: read.length, cutLines: chunk.cutLines },
      deltas: Buffer.from([1, ...Buffer.from(read)]),
      records: [{ count: lines, bytes: Buffer.from(read) }],
    };
  }
}

function chunkOf(text: string, more: Partial<Chunk> = {}): Chunk {
  const bytes = Buffer.from(text);
  return {
    source: 's',
    stream: 1,
    path: '/x',
    bytes,
    from: 0,
    to: bytes.length,
    cutBytes: 0,
    cutLines: 2,
    flush: true,
    readAtMs: 1,
    ...more,
  };
}

const textOf = ({ records }: Fragment): string =>
  records.map(({ bytes }) => Buffer.from(bytes).toString()).join('');

describe('a chunk with lines that cannot be scanned', () => {
  test('gives all others once, in order, wherever the bad ones stand', () => {
    const line = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'bb', 'ccc'.repeat(50)) },
      fc.constant('bad'),
    );
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), (lines) => {
        const fragment = scanInParts(chunkOf(`${lines.join('\n')}\n`), () => new Reader());
        const good = lines.filter((one) => one !== 'bad');
        expect(textOf(fragment)).toBe(good.map((one) => `${one}\n`).join(''));
        expect(Buffer.from(fragment.deltas).subarray(1).toString()).toBe(textOf(fragment));
        const bad = lines.length - good.length;
        expect(fragment.counts).toMatchObject({ lines: lines.length, matched: good.length, filtered: bad });
        expect(fragment.counts.filteredBy?.['scan_failed'] ?? 0).toBe(bad);
        expect(fragment.consumed).toBe(lines.join('\n').length + 1);
      }),
    );
  });

  test('counts what the reader cut off once, and says what failed', () => {
    const fragment = scanInParts(chunkOf('a\nbad\nb\n'), () => new Reader());
    expect(fragment.counts.cutLines).toBe(2);
    expect(String(fragment.error)).toBe('Error: bad line');
  });

  test('leaves an event that may go on for the next chunk', () => {
    const fragment = scanInParts(chunkOf('a\nbad\nb\nc\n d\n', { flush: false }), () => new Reader());
    expect(textOf(fragment)).toBe('a\nb\n');
    expect(fragment.consumed).toBe('a\nbad\nb\n'.length);
  });

  test('asks no more than a few scans for each bad line', () => {
    let scans = 0;
    const lines = Array.from({ length: 4000 }, (_, n) => (n === 2500 ? 'bad' : 'good'));
    const fresh = (): Reader => {
      const reader = new Reader();
      const scan = reader.scan.bind(reader);
      reader.scan = (chunk) => {
        scans++;
        return scan(chunk);
      };
      return reader;
    };
    const fragment = scanInParts(chunkOf(`${lines.join('\n')}\n`), fresh);
    expect(fragment.counts.matched).toBe(3999);
    expect(scans).toBeLessThan(30);
  });
});
