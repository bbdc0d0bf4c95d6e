import { describe, expect, it, test } from 'vitest';
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
    ['iso8601', '2024-05-17T10:00:00+99:99'],
    ['iso8601', '2024-05-17T10:00:00+02:75'],
    ['yyyy-MM-dd HH:mm:ss z', '2026-11-30 10:00:00 +99:99'],
    ...['IST', 'CST', 'BST', 'AEST', 'HKT', 'BRT', 'Nowhere/Land', 'XYZ'].map(
      (zone) => ['yyyy-MM-dd HH:mm:ss z', `2026-11-30 10:00:00 ${zone}`] as [string, string],
    ),
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

describe('a time of day alone', () => {
  const at = (text: string, now: string, timezone = 'UTC') =>
    read('HH:mm:ss.SSS', text, timezone, Date.parse(now));

  it('is the latest such time that is not more than a little ahead', () => {
    expect(at('23:59:59.900', '2026-11-30T00:00:01Z')).toBe('2026-11-29T23:59:59.900Z');
    expect(at('00:00:03.000', '2026-11-30T23:59:58Z')).toBe('2026-12-01T00:00:03.000Z');
    expect(at('12:00:00.000', '2026-11-30T12:00:00Z')).toBe('2026-11-30T12:00:00.000Z');
    expect(at('13:00:00.000', '2026-11-30T12:00:00Z')).toBe('2026-11-29T13:00:00.000Z');
    expect(at('23:59:59.000', '2026-11-29T23:00:01Z', 'Europe/Berlin')).toBe('2026-11-29T22:59:59.000Z');
  });

  it('goes on over midnight, whenever it is read', () => {
    const parser = new TimestampParser(['HH:mm:ss'], 'UTC');
    for (const now of ['2026-11-30T00:00:04Z', '2026-11-30T10:00:00Z', '2026-11-30T22:00:00Z']) {
      const [first, second] = ['23:59:58', '00:00:03'].map((text) => parser.parse(text, Date.parse(now))!.ms);
      expect(second! - first!, now).toBe(5000);
    }
  });

  it('is of another day when the day has changed, though the text is the same', () => {
    const parser = new TimestampParser(['HH:mm:ss'], 'UTC');
    const days = ['2026-11-29T10:00:01Z', '2026-11-30T10:00:01Z'].map(
      (now) => parser.parse('10:00:00', Date.parse(now))!.ms,
    );
    expect(days[1]! - days[0]!).toBe(86_400_000);
  });
});

describe('the hour in which clocks go back', () => {
  // In Berlin 2026-10-25 the hour from 02:00 comes twice: from 00:00Z and from 01:00Z.
  const later = Date.parse('2026-10-26T00:00:00Z');
  const passages = (parser: TimestampParser, ...texts: string[]) =>
    texts.map((text) => new Date(parser.parse(`2026-10-25 ${text}`, later)!.ms).toISOString().slice(11, 16));
  const berlin = () => new TimestampParser(['yyyy-MM-dd HH:mm:ss'], 'Europe/Berlin');

  it('is passed twice where times go back in the file', () => {
    expect(passages(berlin(), '01:50:00', '02:10:00', '02:50:00', '02:05:00', '02:40:00', '03:00:00')).toEqual([
      '23:50', '00:10', '00:50', '01:05', '01:40', '02:00',
    ]); // prettier-ignore
  });

  it('is passed once where lines are a little out of order', () => {
    expect(passages(berlin(), '02:10:30', '02:10:00')).toEqual(['00:10', '00:10']);
  });

  it('is told for each file by itself', () => {
    const parser = berlin();
    parser.begin('/a');
    passages(parser, '02:50:00', '02:05:00');
    parser.begin('/b');
    expect(passages(parser, '02:06:00')).toEqual(['00:06']);
    parser.begin('/a');
    expect(passages(parser, '02:06:00')).toEqual(['01:06']);
  });

  it('is the second passage for a line that was written just now', () => {
    const now = Date.parse('2026-10-25T01:30:05Z');
    expect(berlin().parse('2026-10-25 02:30:04', now)?.ms).toBe(now - 1000);
    expect(berlin().parse('2026-10-25 02:20:04', now)?.ms).toBe(Date.parse('2026-10-25T00:20:04Z'));
  });
});

test('a pack names zones by its own abbreviations', () => {
  const parser = new TimestampParser(['yyyy-MM-dd HH:mm:ss z'], 'UTC', {
    IST: 'Asia/Kolkata',
    CET: '+05:00',
  });
  expect(new Date(parser.parse('2026-11-30 10:00:00 IST', NOW)!.ms).toISOString()).toBe(
    '2026-11-30T04:30:00.000Z',
  );
  expect(new Date(parser.parse('2026-11-30 10:00:00 CET', NOW)!.ms).toISOString()).toBe(
    '2026-11-30T05:00:00.000Z',
  );
});
