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
  ])(
    'takes linear time for a hostile line of %s: with more the test would not end in its time',
    (_, line) => {
      expect(fieldsOf(line)).toBeDefined();
    },
  );
});

describe('syslog of devices', () => {
  it('has no program where a device counts its messages, and the severity of the message', () => {
    const { fields, severity } = read(
      'Nov 29 23:25:10 sw1 000204: *Nov 29 23:25:10.989: %LINK-3-UPDOWN: Interface up',
    );
    expect(fields).toEqual({
      time: 'Nov 29 23:25:10',
      host: 'sw1',
      msgid: '%LINK-3-UPDOWN',
      severity: 'err',
      message: '%LINK-3-UPDOWN: Interface up',
    });
    expect(severity).toBe(read('<187>Nov 29 23:25:10 sw1 a: b').severity);
  });

  it.each([
    ['<189>207: sw1: 000207: *Nov 29 23:25:10.989: %SYS-5-CONFIG_I: x', 'sw1', '%SYS-5-CONFIG_I', 'notice'],
    [
      '<187>45: core-2.example: Nov 29 23:25:10.989 UTC: %LINEPROTO-5-UPDOWN: x',
      'core-2.example',
      '%LINEPROTO-5-UPDOWN',
      'err',
    ],
    [
      '<189>207: 000207: .Nov 29 23:25:10: %SEC_LOGIN-4-LOGIN_FAILED: x',
      undefined,
      '%SEC_LOGIN-4-LOGIN_FAILED',
      'notice',
    ],
    ['Nov 29 23:25:10 fw1 %ASA-6-302013: Built inbound TCP connection', 'fw1', '%ASA-6-302013', 'info'],
    [
      'Nov 29 23:25:10 sw1 77: Nov 29 2026 23:25:10.9: %DUAL-IPv4-5-NBRCHANGE: x',
      'sw1',
      '%DUAL-IPv4-5-NBRCHANGE',
      'notice',
    ],
  ])('%s', (line, host, msgid, severity) => {
    expect(fieldsOf(line)).toMatchObject({
      ...(host && { host }),
      ...(msgid && { msgid }),
      ...(severity && { severity }),
    });
    expect(fieldsOf(line)['program']).toBeUndefined();
  });

  it('reads zones and years behind the clock, and days that are not padded', () => {
    const same = { host: 'host7', program: 'prog', pid: '1', message: 'x' };
    for (const [head, time] of [
      ['Nov 29 23:25:19 UTC', '2025-11-29T23:25:19.000Z'],
      ['Nov 29 23:25:18 2026', '2026-11-29T23:25:18.000Z'],
      ['Nov 29 23:25:22 +02:00', '2025-11-29T21:25:22.000Z'],
      ['Nov 29 23:25:22.125 CET', '2025-11-29T22:25:22.125Z'],
      ['Nov 8 18:11:58', '2025-11-08T18:11:58.000Z'],
      ['Nov  8 18:11:58', '2025-11-08T18:11:58.000Z'],
    ]) {
      const found = read(`${head} host7 prog[1]: x`);
      expect(found.fields, head).toMatchObject(same);
      expect(found.time, head).toBe(time);
    }
    // Hosts in capitals are no zones.
    expect(fieldsOf('Nov 29 23:25:19 MAIL postfix[1]: x')).toMatchObject({
      host: 'MAIL',
      program: 'postfix',
    });
  });
});

describe('structured data that is none', () => {
  it.each([
    ['[action:"Accept"; src:"10.0.0.1"] x', '[action:"Accept"; src:"10.0.0.1"] x', {}],
    ['[a@1 k="x]y" n="1"] m', '[a@1 k="x]y" n="1"] m', {}],
    ['[a@1 k="v"][broken m', '[broken m', { 'sd.a@1.k': 'v' }],
    ['no data at all', 'no data at all', {}],
    ['-', '', {}],
  ])('%s is left in the message', (data, message, more) => {
    const scanner = packScanner({ format: 'syslog' });
    scanner.scan(`<134>1 2026-11-29T23:25:10Z fw1 CheckPoint 12 - ${data}\n`);
    expect(scanner.records[0]!.fields).toMatchObject({
      host: 'fw1', program: 'CheckPoint', pid: '12', severity: 'info', message, ...more,
    }); // prettier-ignore
  });
});
