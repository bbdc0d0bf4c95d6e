import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Sample } from '../../detect/pack-probe.ts';
import { readContent } from '../read-content.ts';
import { UsageError } from '../usage-error.ts';

const HEAD_BYTES = 256 * 1024;
const TAIL_BYTES = 128 * 1024;
const STRIDES = 6;
const STRIDE_BYTES = 32 * 1024;
/** Of what can only be read from its beginning, no more is looked at. */
const STREAM_BYTES_MAX = 512 * 1024 * 1024;

/** Head, tail and pieces between, cut to whole lines. */
export async function takeSample(path: string): Promise<Sample> {
  const plain = path === '-' ? undefined : await samplePlain(path);
  return plain ?? sampleStream(path);
}

/** Undefined where the file is compressed, not in bytes of ASCII's kind, or no regular file. */
async function samplePlain(path: string): Promise<Sample | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new UsageError(`${path} is a folder; name files`);
    const { size } = stat;
    const head = await readPart(handle, 0, Math.min(size, HEAD_BYTES));
    if (!stat.isFile() || isEncoded(head)) return undefined;
    const parts = [head];
    const middle = size - HEAD_BYTES - TAIL_BYTES;
    if (middle > STRIDES * STRIDE_BYTES * 2) {
      for (let i = 0; i < STRIDES; i++)
        parts.push(
          await readPart(handle, HEAD_BYTES + Math.floor((middle * (i + 0.5)) / STRIDES), STRIDE_BYTES),
        );
      parts.push(await readPart(handle, size - TAIL_BYTES, TAIL_BYTES));
    } else if (size > head.length) parts[0] = await readPart(handle, 0, size);
    return { bytes: joinLines(parts), fileBytes: size };
  } finally {
    await handle.close();
  }
}

async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function isEncoded(head: Buffer): boolean {
  const start = head.subarray(0, 4).toString('hex');
  return ['1f8b', '28b52ffd', 'fffe', 'feff', 'efbbbf'].some((magic) => start.startsWith(magic));
}

async function sampleStream(path: string): Promise<Sample> {
  const head: Buffer[] = [];
  let headBytes = 0;
  let total = 0;
  let strides: Buffer[] = [];
  let every = STRIDE_BYTES * 4;
  let nextStride = HEAD_BYTES;
  let tail = Buffer.alloc(0) as Buffer;
  for await (const block of readContent(path)) {
    const forHead = Math.min(block.length, HEAD_BYTES - headBytes);
    if (forHead > 0) head.push(Buffer.from(block.subarray(0, forHead)));
    headBytes += forHead;
    total += block.length;
    if (forHead === block.length) continue;
    tail = Buffer.concat([tail, block.subarray(forHead)]).subarray(-TAIL_BYTES);
    if (total >= nextStride) {
      strides.push(Buffer.from(block.subarray(-STRIDE_BYTES)));
      if (strides.length > STRIDES * 2) {
        strides = strides.filter((_, at) => at % 2 === 0);
        every *= 2;
      }
      nextStride = total + every;
    }
    if (total >= STREAM_BYTES_MAX) break;
  }
  // What is in the tail already must not be seen twice.
  const between = total - headBytes > TAIL_BYTES + STRIDE_BYTES ? strides.slice(0, -1) : [];
  return {
    bytes: joinLines([Buffer.concat(head), ...between, ...(tail.length > 0 ? [tail] : [])]),
    fileBytes: total,
  };
}

/** Parts after the first begin somewhere in a line; all but a whole file may end in one. */
function joinLines(parts: readonly Buffer[]): Buffer {
  const whole = parts.map((part, at) => {
    const from = at === 0 ? 0 : part.indexOf(10) + 1;
    const to = part.lastIndexOf(10) + 1;
    return to > from
      ? part.subarray(from, to)
      : at === 0
        ? Buffer.concat([part, Buffer.from('\n')])
        : Buffer.alloc(0);
  });
  return parts.length === 1 && parts[0]!.length === 0 ? Buffer.alloc(0) : Buffer.concat(whole);
}
