import { describe, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import {
  decodeCheckedLine,
  encodeCheckedLine,
  openSealed,
  sealObject,
} from '../../src/platform/checked-line.ts';

describe('a line with a checksum', () => {
  test('gives what was written, and nothing where a bit changed', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const line = Buffer.from(encodeCheckedLine(json)).subarray(0, -1);
        expect(decodeCheckedLine(line)).toBe(json);
        const bit = at % (line.length * 8);
        line[bit >> 3]! ^= 1 << (bit & 7);
        expect(decodeCheckedLine(line)).toBeUndefined();
      }),
    );
  });
});

describe('an object with a checksum', () => {
  test('is what was sealed', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        if ('checksum' in object) return;
        expect(openSealed(sealObject(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test('with a value changed it is refused; without a checksum it is taken as it is', () => {
    expect(() => openSealed(sealObject('{"a":1}').replace('1', '2'))).toThrow('its checksum is wrong');
    expect(openSealed('{"a":1}')).toEqual({ a: 1 });
    expect(openSealed('[1]')).toEqual([1]);
  });
});
