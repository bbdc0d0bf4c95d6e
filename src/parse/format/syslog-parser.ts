import type { FieldNames, Row } from '../row.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/**
 * `<34>` may be missing: files rarely have it. The time is traditional, also with the year before or behind the clock, or
 * with a zone, or ISO (rsyslog's and systemd's newer form). What a local socket brought has no host: a word with a colon
 * behind it is the program.
 */
const TRADITIONAL =
  /^(?:<(\d{1,3})>)?([A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: (?:\d{4}|[+-]\d\d:?\d\d|UTC|GMT|WES?T|CES?T|EES?T|MSK|[ECMP][SD]T|[JKIB]ST))?|\d{4}-\d\d-\d\dT\S+) (?:(\S*[^\s:]) (?:([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))?|([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))([\s\S]*)$/;

/**
 * BusyBox's syslogd and OpenWrt's logread write the priority in words, after the host or instead of it. OpenWrt's time is
 * ctime's, and `logread -t` puts it once more behind it in seconds.
 */
const WORDED =
  /^(?:([A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d) (\S*[^\s:])|([A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4})(?: \[\d+\.\d+\])?) ([a-z]+\d?)\.([a-z]+) (?:([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$))?([\s\S]*)$/;

/**
 * The message of a Cisco device, behind its sequence number and its own time. IOS writes a time that its clock does not
 * vouch for with a `*` or a point.
 */
const CISCO =
  /^(?:\d+: )?(?:[*.]?([A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{1,5})?): )?(%[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*-([0-7])-[A-Za-z0-9_]+):/;
/** What stands before it where no syslog daemon wrote the line: priority, number of the message, host. */
const CISCO_HEAD = /^(?:<(\d{1,3})>)?(?:\d+: )?(?:([A-Za-z][^\s:]*|\d+\.\d+\.\d+\.\d+): )?/;

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
    if (match === null) return this.#device(text, row) ? 0 : UNMATCHED;
    if (!this.#priority(match[1], row)) return UNMATCHED;
    const slots = this.#slots;
    row.set(slots.time, match[2]);
    row.set(slots.host, match[3]);
    const program = match[4] ?? match[6];
    // A number is no program: devices count their messages.
    if (program !== undefined && /^\d+$/.test(program) && match[5] === undefined && match[7] === undefined) {
      this.#cisco(`${program}: ${match[8]}`, match[1] === undefined, row);
      return 0;
    }
    if (match[8]!.startsWith('%') || program?.startsWith('%') === true) {
      this.#cisco(program === undefined ? match[8]! : `${program}: ${match[8]}`, match[1] === undefined, row);
      return 0;
    }
    row.set(slots.program, program);
    const pid = match[5] ?? match[7];
    if (pid !== '') row.set(slots.pid, pid);
    row.set(slots.message, match[8]);
    return 0;
  }

  /** A line as a device sends it, which no daemon gave a time and a host. */
  #device(text: string, row: Row): boolean {
    const head = CISCO_HEAD.exec(text)!;
    const rest = text.slice(head[0].length);
    const message = CISCO.exec(rest);
    if (message?.[1] === undefined || !this.#priority(head[1], row)) return false;
    row.set(this.#slots.time, message[1]);
    row.set(this.#slots.host, head[2]);
    this.#cisco(rest, head[1] === undefined, row);
    return true;
  }

  /** `000204: *Nov 29 23:25:10.989: %LINK-3-UPDOWN: Interface up`: the message and its kind, which says the severity. */
  #cisco(text: string, ownSeverity: boolean, row: Row): void {
    const match = CISCO.exec(text);
    // The message begins with its kind.
    row.set(this.#slots.message, match === null ? text : text.slice(match[0].length - match[2]!.length - 1));
    if (match === null) return;
    row.set(this.#slots.msgid, match[2]);
    if (ownSeverity) row.set(this.#slots.severity, SEVERITIES[Number(match[3])]);
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
    if (/^-(?: |$)/.test(rest)) rest = rest.slice(1);
    else {
      for (;;) {
        const element = ELEMENT.exec(rest);
        if (element === null) break;
        for (const [, name, value] of element[2]!.matchAll(PARAMETER)) {
          row.set(this.#fields.find(`sd.${element[1]}.${name}`), value!.replaceAll(/\\(["\\\]])/g, '$1'));
        }
        rest = rest.slice(element[0].length);
      }
    }
    // What is no structured data, as firewalls write it, is left in the message.
    row.set(slots.message, (rest.startsWith(' ') ? rest.slice(1) : rest).replace(/^\uFEFF/, ''));
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
