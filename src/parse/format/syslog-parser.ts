import type { FieldNames, Row } from '../row.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/**
 * `<34>` may be missing: files rarely have it. The time is traditional or ISO (rsyslog's and systemd's newer form). What a
 * local socket brought has no host: a word with a colon behind it is the program.
 */
const TRADITIONAL =
  /^(?:<(\d{1,3})>)?([A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\S+) (?:(\S*[^\s:]) (?:([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))?|([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))([\s\S]*)$/;

/**
 * BusyBox's syslogd and OpenWrt's logread write the priority in words, after the host or instead of it. OpenWrt's time is
 * ctime's, and `logread -t` puts it once more behind it in seconds.
 */
const WORDED =
  /^(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S*[^\s:])|([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})(?: \[\d+\.\d+\])?) ([a-z]+\d?)\.([a-z]+) (?:([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))?([\s\S]*)$/;

const VERSION_1 = /^(?:<(\d{1,3})>)?1 (-|\d{4}-\d\d-\d\dT\S+) (\S+) (\S+) (\S+) (\S+) /;
const ELEMENT = /^\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\\]]|\\.)*")*)\]/;
const PARAMETER = / ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"/g;

const FACILITIES = ['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp',
  'ntp', 'audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7']; // prettier-ignore
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

const FACILITY_WORDS = new Set(FACILITIES);
/** By the words that stand for them; `warn` is the only one that differs. */
const SEVERITY_WORDS = new Map([...SEVERITIES.map((name) => [name, name] as const), ['warn', 'warning']]);

/** RFC 3164 as files have it, RFC 5424, and the form of BusyBox and OpenWrt. */
export class SyslogParser implements LineParser {
  readonly #fields: FieldNames;
  readonly #slots: Readonly<
    Record<'time' | 'host' | 'program' | 'pid' | 'message' | 'facility' | 'severity' | 'msgid', number>
  >;

  constructor(fields: FieldNames) {
    this.#fields = fields;
    this.#slots = {
      facility: fields.find('facility'),
      severity: fields.find('severity'),
      time: fields.find('time'),
      host: fields.find('host'),
      program: fields.find('program'),
      pid: fields.find('pid'),
      msgid: fields.find('msgid'),
      message: fields.find('message'),
    };
  }

  parse(text: string, row: Row): number {
    const first = VERSION_1.exec(text);
    if (first !== null) return this.#version1(text, first, row);
    const match = TRADITIONAL.exec(text);
    // Words for the priority stand where a program would, and beside no number: most lines are spared the look.
    if ((match?.[1] ?? match?.[4] ?? match?.[6]) === undefined && this.#worded(text, row)) return 0;
    if (match === null || !this.#priority(match[1], row)) return UNMATCHED;
    const slots = this.#slots;
    row.set(slots.time, match[2]);
    row.set(slots.host, match[3]);
    row.set(slots.program, match[4] ?? match[6]);
    const pid = match[5] ?? match[7];
    if (pid !== '') row.set(slots.pid, pid);
    row.set(slots.message, match[8]);
    return 0;
  }

  /** False, and the row untouched, where the line has no priority in words. */
  #worded(text: string, row: Row): boolean {
    const match = WORDED.exec(text);
    if (match === null) return false;
    const severity = SEVERITY_WORDS.get(match[5]!);
    if (severity === undefined || !FACILITY_WORDS.has(match[4]!)) return false;
    const slots = this.#slots;
    row.set(slots.facility, match[4]);
    row.set(slots.severity, severity);
    row.set(slots.time, match[1] ?? match[3]);
    row.set(slots.host, match[2]);
    row.set(slots.program, match[6]);
    if (match[7] !== '') row.set(slots.pid, match[7]);
    row.set(slots.message, match[8]);
    return true;
  }

  #version1(text: string, match: RegExpExecArray, row: Row): number {
    if (!this.#priority(match[1], row)) return UNMATCHED;
    const slots = this.#slots;
    const set = (slot: number, value: string): void => row.set(slot, value === '-' ? undefined : value);
    set(slots.time, match[2]!);
    set(slots.host, match[3]!);
    set(slots.program, match[4]!);
    set(slots.pid, match[5]!);
    set(slots.msgid, match[6]!);
    let rest = text.slice(match[0].length);
    if (rest.startsWith('-')) rest = rest.slice(1);
    else {
      if (!rest.startsWith('[')) return UNMATCHED;
      for (;;) {
        const element = ELEMENT.exec(rest);
        if (element === null) break;
        for (const [, name, value] of element[2]!.matchAll(PARAMETER)) {
          row.set(this.#fields.find(`sd.${element[1]}.${name}`), value!.replaceAll(/\\(["\\\]])/g, '$1'));
        }
        rest = rest.slice(element[0].length);
      }
    }
    if (rest !== '' && !rest.startsWith(' ')) return UNMATCHED;
    row.set(slots.message, rest.slice(1).replace(/^\uFEFF/, ''));
    return 0;
  }

  #priority(text: string | undefined, row: Row): boolean {
    if (text === undefined) return true;
    const priority = Number(text);
    if (priority > 191) return false;
    row.set(this.#slots.facility, FACILITIES[priority >> 3]);
    row.set(this.#slots.severity, SEVERITIES[priority & 7]);
    return true;
  }
}
