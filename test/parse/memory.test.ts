import { describe, expect, it } from 'vitest';
import { packScanner } from './scan-text.ts';

describe('memory', () => {
  it('keeps no chunk alive for what it remembers of it', () => {
    const pack = {
      format: 'logfmt',
      severity: { field: 'level' },
      steps: [{ hash: { field: 'user' } }, { route: { field: 'path' } }],
    };
    const scanner = packScanner(pack, { records: false });
    const filler = `x=${'y'.repeat(1000)}\n`.repeat(2000);
    // The strings of a chunk are on V8's heap, 2 MiB each: kept alive, two hundred of them would be seen.
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200; i++) {
      scanner.scan(
        `level=unheard-of-level-${i} user=a-long-user-name-${i} path=/a/long/path/number/${i}\n${filler}`,
        { from: i + 1 },
      );
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(250 * 1024 * 1024);
  });
});
