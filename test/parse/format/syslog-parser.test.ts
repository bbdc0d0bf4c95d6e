import { describe, expect, it } from 'vitest';
import { packScanner } from '../scan-text.ts';

function read(line: string) {
  const scanner = packScanner({ format: 'syslog' });
  scanner.scan(`${line}\n`);
  const { fields, severity, timeMs } = scanner.records[0]!;
  return { fields, severity, time: new Date(timeMs).toISOString() };
}

const fieldsOf = (line: string) => read(line).fields;

describe('syslog with the priority in words', () => {
  it("reads BusyBox's form", () => {
    expect(fieldsOf('May 17 10:05:01 host cron.info crond[500]: USER root pid 512 cmd true')).toEqual({
      facility: 'cron',
      severity: 'info',
      time: 'May 17 10:05:01',
      host: 'host',
      program: 'crond',
      pid: '500',
      message: 'USER root pid 512 cmd true',
    });
  });

  it("reads OpenWrt's form, with its day padded or not", () => {
    expect(read('Fri May 17 10:05:01 2024 authpriv.notice dropbear[812]: Exit')).toMatchObject({
      fields: {
        facility: 'authpriv',
        severity: 'notice',
        time: 'Fri May 17 10:05:01 2024',
        program: 'dropbear',
        pid: '812',
        message: 'Exit',
      },
      time: '2024-05-17T10:05:01.000Z',
    });
    expect(read('Tue May  7 10:05:01 2024 kern.info kernel: [   12.3] up')).toMatchObject({
      fields: { facility: 'kern', program: 'kernel', message: '[   12.3] up' },
      time: '2024-05-07T10:05:01.000Z',
    });
  });

  it('passes over the seconds of logread -t', () => {
    const fields = fieldsOf('Fri May 17 10:05:01 2024 [1715940301.123] daemon.info ntpd[9]: x');
    expect(fields).toMatchObject({ time: 'Fri May 17 10:05:01 2024', program: 'ntpd', message: 'x' });
  });

  it('names severities as a number does', () => {
    const line = (word: string) => fieldsOf(`May 17 10:05:01 host local7.${word} a: b`);
    const words = ['emerg', 'alert', 'crit', 'err', 'warn', 'warning', 'notice', 'info', 'debug'];
    expect(words.map((word) => line(word)['severity'])).toEqual(
      [0, 1, 2, 3, 4, 4, 5, 6, 7].map(
        (n) => fieldsOf(`<${String(23 * 8 + n)}>May 17 10:05:01 host a: b`)['severity'],
      ),
    );
    expect(line('err')['facility']).toBe(fieldsOf('<187>May 17 10:05:01 host a: b')['facility']);
  });

  it('reads messages without a program, and empty ones', () => {
    const started = fieldsOf('May 17 10:05:01 host syslog.info syslogd started: BusyBox v1.36.1');
    expect(started).toMatchObject({ facility: 'syslog', message: 'syslogd started: BusyBox v1.36.1' });
    expect(started).not.toHaveProperty('program');
    expect(fieldsOf('May 17 10:05:01 host user.warn ')).toMatchObject({ severity: 'warning', message: '' });
    expect(fieldsOf('May 17 10:05:01 host user.warn root:')).toMatchObject({ program: 'root', message: '' });
  });
});

describe('syslog without it', () => {
  const time = 'May 17 10:05:01';

  it.each([
    ['a host of that name', `${time} cron.info crond[500]: x`, { host: 'cron.info', program: 'crond' }],
    ['a program of that name', `${time} host cron.info: x`, { program: 'cron.info', message: 'x' }],
    ['an unknown facility', `${time} host shop.info app: x`, { message: 'shop.info app: x' }],
    ['an unknown severity', `${time} host cron.loud crond: x`, { message: 'cron.loud crond: x' }],
    ['capitals', `${time} host CRON.INFO crond: x`, { message: 'CRON.INFO crond: x' }],
    ['names of objects', `${time} host constructor.toString a: x`, { message: 'constructor.toString a: x' }],
    ['a word further on', `${time} host a cron.info crond: x`, { message: 'a cron.info crond: x' }],
    ['nothing behind it', `${time} host cron.info`, { message: 'cron.info' }],
    [
      'a number beside it',
      `<30>${time} host cron.info crond: x`,
      { facility: 'daemon', message: 'cron.info crond: x' },
    ],
    ['another time', '2024-05-17T10:05:01Z host cron.info crond: x', { message: 'cron.info crond: x' }],
    [
      'a program before it',
      `${time} sh: cron.info crond: x`,
      { program: 'sh', message: 'cron.info crond: x' },
    ],
  ])('is as it was: %s', (_, line, expected) => {
    expect(fieldsOf(line)).toMatchObject(expected);
    if (!line.startsWith('<')) expect(fieldsOf(line)).not.toHaveProperty('facility');
  });

  it.each([
    'Fri May 17 10:05:01 2024 crond[500]: no priority',
    'Fri May 17 10:05:01 2024 shop.info crond[500]: unknown',
    'Fri May 17 10:05:01 2024 host cron.info crond[500]: a host as well',
    'Fri May 17 10:05:01 cron.info crond[500]: no year',
    'Friday May 17 10:05:01 2024 cron.info crond[500]: a long day',
    'Fri May 17 10:05:01 2024 [soon] cron.info crond[500]: no seconds',
    'x Fri May 17 10:05:01 2024 cron.info crond[500]: late',
  ])('is unmatched with a weekday before the time: %s', (line) => {
    expect(fieldsOf(line)).toEqual({});
  });

  it.each([
    ['words', `${time} ${'a.'.repeat(200_000)}`],
    ['hosts', `${time} ${'cron.info '.repeat(40_000)}`],
    ['brackets', `Fri May 17 10:05:01 2024 cron.info ${'a['.repeat(200_000)}`],
    ['digits', `Fri May 17 10:05:01 2024 [${'1'.repeat(400_000)}`],
    ['colons', `${time} ${':'.repeat(400_000)} cron.info x`],
  ])('takes no longer than linear time for a hostile line of %s', (_, line) => {
    const begun = performance.now();
    fieldsOf(line);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
