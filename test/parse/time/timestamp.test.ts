import { describe, expect, it } from 'vitest';
import { TimeFormatError } from '../../../src/parse/time/time-format.ts';
import { TimestampParser } from '../../../src/parse/time/timestamp.ts';
import { Zone } from '../../../src/parse/time/zone.ts';

const NOW = Date.parse('2025-01-02T00:00:00Z');

function read(
  format: string | string[],
  text: string | number,
  timezone = 'UTC',
  now = NOW,
): string | undefined {
  const instant = new TimestampParser([format].flat(), timezone).parse(text, now);
  if (instant === undefined) return undefined;
  return new Date(instant.ms).toISOString() + (instant.nanos === 0 ? '' : ` +${instant.nanos}`);
}

describe('time stamps', () => {
  it.each([
    ['iso8601', '2024-05-17T13:01:02Z', '2024-05-17T13:01:02.000Z'],
    ['iso8601', '2024-05-17T13:01:02.123456789+02:00', '2024-05-17T11:01:02.123Z +456789'],
    ['iso8601', '2024-05-17 13:01:02,5', '2024-05-17T13:01:02.500Z'],
    ['iso8601', '20240517T130102Z', '2024-05-17T13:01:02.000Z'],
    ['iso8601', '2024-05-17T13:01-0530', '2024-05-17T18:31:00.000Z'],
    ['iso8601', '2024-05-17', '2024-05-17T00:00:00.000Z'],
    ['epoch_s', '1715940303.25', '2024-05-17T10:05:03.250Z'],
    ['epoch_ms', 1_715_940_303_123, '2024-05-17T10:05:03.123Z'],
    ['epoch_us', '1715940303123456', '2024-05-17T10:05:03.123Z +456000'],
    ['epoch_ns', '1715940303123456789', '2024-05-17T10:05:03.123Z +456789'],
    ['dd/MMM/yyyy:HH:mm:ss ZZ', '17/May/2024:10:05:03 +0200', '2024-05-17T08:05:03.000Z'],
    ['%d/%b/%Y:%H:%M:%S %z', '17/May/2024:10:05:03 -0700', '2024-05-17T17:05:03.000Z'],
    ['%Y-%m-%d %H:%M:%S.%f', '2024-05-17 10:05:03.000001', '2024-05-17T10:05:03.000Z +1000'],
    ['EEE MMM d HH:mm:ss yyyy', 'Fri May 17 10:05:03 2024', '2024-05-17T10:05:03.000Z'],
    ['EEE MMM dd HH:mm:ss.u yyyy', 'Fri May  7 10:05:03.123456 2024', '2024-05-07T10:05:03.123Z +456000'],
    ['M/d/yyyy h:mm:ss a', '5/7/2024 12:05:03 AM', '2024-05-07T00:05:03.000Z'],
    ['%m/%d/%y %I:%M %p', '05/07/24 01:05 PM', '2024-05-07T13:05:00.000Z'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSS z", '2024-05-17T10:05:03.250 Europe/Berlin', '2024-05-17T08:05:03.250Z'],
    ['%Y-%m-%d %H:%M:%S %Z', '2024-05-17 10:05:03 CEST', '2024-05-17T08:05:03.000Z'],
    ['%Y %j', '2024 366', '2024-12-31T00:00:00.000Z'],
  ])('%s reads %s', (format, text, expected) => {
    expect(read(format, text)).toBe(expected);
  });

  it.each([
    ['iso8601', '2024-02-30T00:00:00Z'],
    ['iso8601', '2024-05-17T25:00:00Z'],
    ['iso8601', '2024-05-17T13:01:02Zjunk'],
    ['iso8601', ''],
    ['epoch_s', 'soon'],
    ['epoch_s', '1715940303123'],
    ['epoch_s', 1_715_940_303_123],
    ['epoch_s', '1e12'],
    ['MMM d HH:mm:ss', 'Foo 17 10:05:03'],
    ['yyyy', '20245'],
  ])('%s refuses %j', (format, text) => {
    expect(read(format, text)).toBeUndefined();
  });

  it('takes the first format of a list that fits', () => {
    expect(read(['epoch_s', 'epoch_ms'], '1715940303123')).toBe('2024-05-17T10:05:03.123Z');
    expect(read(['epoch_ms', 'iso8601'], '2024-05-17T13:01:02Z')).toBe('2024-05-17T13:01:02.000Z');
  });

  it('gives a time without a year the latest year that is not more than a week ahead', () => {
    const format = 'MMM d HH:mm:ss';
    expect(read(format, 'Dec 31 23:59:59')).toBe('2024-12-31T23:59:59.000Z');
    expect(read(format, 'Jan  1 00:00:01')).toBe('2025-01-01T00:00:01.000Z');
    expect(read(format, 'Jan  5 00:00:00')).toBe('2025-01-05T00:00:00.000Z');
    expect(read(format, 'Jan 20 00:00:00')).toBe('2024-01-20T00:00:00.000Z');
    expect(read(format, 'Feb 29 12:00:00')).toBe('2024-02-29T12:00:00.000Z');
    expect(read(format, 'Jan  1 00:30:00', 'UTC', Date.parse('2024-12-31T23:59:00Z'))).toBe(
      '2025-01-01T00:30:00.000Z',
    );
  });

  it('reads local times by the rules of the zone on that day', () => {
    const format = 'yyyy-MM-dd HH:mm:ss';
    expect(read(format, '2024-01-15 12:00:00', 'Europe/Berlin')).toBe('2024-01-15T11:00:00.000Z');
    expect(read(format, '2024-07-15 12:00:00', 'Europe/Berlin')).toBe('2024-07-15T10:00:00.000Z');
    expect(read(format, '2024-07-15 12:00:00', '+05:30')).toBe('2024-07-15T06:30:00.000Z');
    expect(read(format, '2024-07-15 12:00:00', 'Australia/Lord_Howe')).toBe('2024-07-15T01:30:00.000Z');
  });

  it('takes the first passage of an hour that the clock shows twice, and reads a skipped one on', () => {
    const format = 'yyyy-MM-dd HH:mm:ss';
    expect(read(format, '2024-10-27 02:30:00', 'Europe/Berlin')).toBe('2024-10-27T00:30:00.000Z');
    expect(read(format, '2024-10-27 03:30:00', 'Europe/Berlin')).toBe('2024-10-27T02:30:00.000Z');
    expect(read(format, '2024-03-31 02:30:00', 'Europe/Berlin')).toBe('2024-03-31T01:30:00.000Z');
    expect(read(format, '2024-11-03 01:30:00', 'America/New_York')).toBe('2024-11-03T05:30:00.000Z');
  });

  it('agrees with the zone data of the runtime all over a year', () => {
    for (const name of ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland']) {
      const zone = new Zone(name);
      for (
        let at = Date.parse('2024-01-01T00:00:00Z');
        at < Date.parse('2025-01-01T00:00:00Z');
        at += 7.3 * 3_600_000
      ) {
        const local = at + zone.offsetAt(at);
        const back = zone.toInstant(local);
        expect(back === at || zone.offsetAt(back) + back === local).toBe(true);
      }
    }
  });

  it('says what is wrong with a format or a zone', () => {
    expect(() => read('yyyy-MM-ddTfoo', '')).toThrow(TimeFormatError);
    expect(() => read('%Q', '')).toThrow(/%Q is no part of a time format/);
    expect(() => read('iso8601', '', 'Europe/Nowhere')).toThrow(RangeError);
  });
});
