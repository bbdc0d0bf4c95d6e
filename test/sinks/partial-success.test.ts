import { describe, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { readPartialSuccess } from '../../src/sinks/partial-success.ts';

describe('readPartialSuccess', () => {
  test('reads counts of records and points in JSON, as strings or numbers', () => {
    const read = (value: object) =>
      readPartialSuccess(Buffer.from(JSON.stringify(value)), 'application/json');
    expect(read({ partialSuccess: { rejectedLogRecords: '7', errorMessage: 'old' } })).toEqual({
      rejected: 7,
      message: 'old',
    });
    expect(read({ partialSuccess: { rejectedDataPoints: 2 } })).toEqual({ rejected: 2, message: '' });
    expect(read({})).toEqual({ rejected: 0, message: '' });
  });

  test('whatever else a receiver answers means that all was taken', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom('application/json', 'text/html', ''),
        (body, type) => {
          expect(readPartialSuccess(body, type).rejected).toBeGreaterThanOrEqual(0);
        },
      ),
    );
    expect(readPartialSuccess(Buffer.from('ok'), 'application/json').rejected).toBe(0);
    expect(readPartialSuccess(Buffer.from('<html>'), 'text/html').rejected).toBe(0);
  });
});

test('what is said is shown without control characters', () => {
  const body = JSON.stringify({
    partialSuccess: { rejectedLogRecords: '1', errorMessage: 'bad\u001b[31m\n\u0000line' },
  });
  expect(readPartialSuccess(Buffer.from(body), 'application/json')).toEqual({
    rejected: 1,
    message: 'bad [31m line',
  });
});
