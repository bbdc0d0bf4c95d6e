import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gramsOfBlock } from '../../../src/collect/store/block-grams.ts';
import { GramFilter, GramFilterBuilder, gramPlaces } from '../../../src/collect/store/gram-filter.ts';
import { readRecordBatch } from '../../../src/collect/store/record-batch.ts';
import { decompressBlock } from '../../../src/collect/store/record-block.ts';
import { logsRequest } from '../requests.ts';

test('whatever part of a text is asked for, in any case, the filter lets it by', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 20 }),
      fc.nat(),
      fc.nat(),
      (texts, from, length) => {
        const builder = new GramFilterBuilder();
        for (const text of texts) builder.addText(text);
        const filter = new GramFilter(builder.finish());
        for (const text of texts) {
          const start = from % (text.length + 1);
          const part = text.slice(start, start + (length % 20)).toWellFormed();
          if (!text.includes(part)) continue;
          const folded = part.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
          for (const needle of [part, folded]) expect(filter.mayHold(gramPlaces(needle))).toBe(true);
        }
      },
    ),
  );
});

test('a text that is not there is not let by, and one of three bytes is', () => {
  const builder = new GramFilterBuilder();
  for (let i = 0; i < 200; i++) builder.addText(`GET /cart/${i} from 10.0.0.${i % 250} took ${i * 7} ms`);
  const filter = new GramFilter(builder.finish());
  expect(filter.mayHold(gramPlaces('zqxneedle'))).toBe(false);
  expect(gramPlaces('zqx')).toEqual([]);
});

test('lines, values of attributes and ids are in the filter of a block', () => {
  const request = logsRequest({}, [
    { timeMs: 1_700_000_000_000, body: 'the line itself', attributes: { path: '/some/where' } },
  ]);
  const [block] = readRecordBatch(request, 0).streams[0]!.blocks;
  const filter = new GramFilter(gramsOfBlock(decompressBlock(block!.encoding, block!.bytes)));
  for (const text of ['the line', 'LINE ITSELF', '/some/where'])
    expect(filter.mayHold(gramPlaces(text))).toBe(true);
  expect(filter.mayHold(gramPlaces('nowhere'))).toBe(false);
});

test('a block with letters that case folds to others may hold anything', () => {
  const request = logsRequest({}, [{ timeMs: 1_700_000_000_000, body: 'it is 20 \u212a' }]);
  const [block] = readRecordBatch(request, 0).streams[0]!.blocks;
  const filter = new GramFilter(gramsOfBlock(decompressBlock(block!.encoding, block!.bytes)));
  expect(filter.mayHold(gramPlaces('nowhere'))).toBe(true);
});
