import { expect, it } from 'vitest';
import { BufferPool } from '../../src/tail/buffer-pool.ts';
import { anchorBefore, NO_ANCHOR, NO_FINGERPRINT } from '../../src/tail/fingerprint.ts';
import { readLines, type ReadOutcome } from '../../src/tail/line-reader.ts';
import { encodingOf } from '../../src/tail/text-encoding.ts';

const SEARCHED_BYTES = 200_000;

/** Reads on behind `offset`, where so many bytes were known to hold no newline, in a file that now has this content. */
function readOn(content: Buffer, offset: number, scanned: number): Promise<ReadOutcome> {
  const read = (target: Buffer, at: number, length: number, from: number): Promise<number> =>
    Promise.resolve(from >= content.length ? 0 : content.copy(target, at, from, from + length));
  const anchor = offset === 0 ? NO_ANCHOR : anchorBefore(content, offset);
  const options = { blockBytes: 4096, maxLineBytes: 1 << 20, finishing: false };
  const encoding = encodingOf('utf-8', Buffer.alloc(0));
  return readLines(
    { read },
    { offset, anchor, fingerprint: NO_FINGERPRINT, scanned },
    { ...options, encoding, pool: new BufferPool() },
  );
}

function text(outcome: ReadOutcome): string | undefined {
  if (outcome.kind !== 'lines') return undefined;
  const { raw, start, end } = outcome.block;
  return raw.toString('utf8', start, end);
}

it('looks anew for a newline in what it had searched, where that was cut away and written again', async () => {
  expect(text(await readOn(Buffer.from('short\nmore'), 0, SEARCHED_BYTES))).toBe('short\n');
  expect(text(await readOn(Buffer.from('first\nshort\nmore'), 6, SEARCHED_BYTES))).toBe('short\n');
});

it('knows nothing of a line any more that was cut away', async () => {
  expect(await readOn(Buffer.from('first\n'), 6, SEARCHED_BYTES)).toEqual({
    kind: 'end',
    scanned: 0,
    size: 6,
  });
  expect(await readOn(Buffer.from('first\nsh'), 6, SEARCHED_BYTES)).toEqual({
    kind: 'end',
    scanned: 2,
    size: 8,
  });
});

it('searches on where a long line goes on, and not from its beginning', async () => {
  const line = Buffer.concat([Buffer.alloc(SEARCHED_BYTES, 'x'), Buffer.from('end\n')]);
  expect(text(await readOn(line, 0, SEARCHED_BYTES))).toHaveLength(SEARCHED_BYTES + 4);
  // What was searched before is not looked at again: a newline that came there since is not seen.
  const changed = Buffer.from(line);
  changed[10] = 10;
  expect(text(await readOn(changed, 0, SEARCHED_BYTES))).toHaveLength(SEARCHED_BYTES + 4);
});
