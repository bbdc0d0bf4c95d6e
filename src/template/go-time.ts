const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** The pieces of Go's reference time, longest first where one begins another. */
const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|[.,](?:0+|9+)(?!\d)|002|01|02|03|04|05|06|15|PM|pm|_2|1|2|3|4|5/g;

/** As fmt prints a time.Time in UTC: `2015-11-23 12:34:56.789 +0000 UTC`. */
export function formatGoTime(ms: number, nanos = 0): string {
  return formatGoLayout(ms, '2006-01-02 15:04:05.999999999 -0700 MST', nanos);
}

/** time.Format in UTC. `nanos` are those beyond the milliseconds. */
export function formatGoLayout(ms: number, layout: string, nanos = 0): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'invalid time';
  return layout.replace(LAYOUT, (piece) => layoutPiece(date, ms, nanos, piece));
}

function layoutPiece(date: Date, ms: number, nanos: number, piece: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12;
  if (piece[0] === '.' || piece[0] === ',') return fraction(ms, nanos, piece);
  switch (piece) {
    case 'January':
      return monthName(date);
    case 'Jan':
      return monthName(date).slice(0, 3);
    case 'Monday':
      return weekdayName(date);
    case 'Mon':
      return weekdayName(date).slice(0, 3);
    case 'MST':
      return 'UTC';
    case '2006':
      return String(date.getUTCFullYear()).padStart(4, '0');
    case '06':
      return two(date.getUTCFullYear() % 100);
    case 'Z07:00':
    case 'Z0700':
      return 'Z';
    case '-07:00':
      return '+00:00';
    case '-0700':
      return '+0000';
    case '-07':
      return '+00';
    case '002':
      return String(yearDay(date)).padStart(3, '0');
    case '01':
      return two(date.getUTCMonth() + 1);
    case '1':
      return String(date.getUTCMonth() + 1);
    case '02':
      return two(date.getUTCDate());
    case '_2':
      return String(date.getUTCDate()).padStart(2, ' ');
    case '2':
      return String(date.getUTCDate());
    case '15':
      return two(date.getUTCHours());
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(date.getUTCMinutes());
    case '4':
      return String(date.getUTCMinutes());
    case '05':
      return two(date.getUTCSeconds());
    case '5':
      return String(date.getUTCSeconds());
    case 'PM':
      return date.getUTCHours() < 12 ? 'AM' : 'PM';
    default:
      return date.getUTCHours() < 12 ? 'am' : 'pm';
  }
}

/** `.000` keeps its digits, `.999` drops zeros at the end (and itself when nothing is left). */
function fraction(ms: number, nanos: number, piece: string): string {
  const places = piece.length - 1;
  const micros = Math.floor((((ms % 1000) + 1000) % 1000) * 1000);
  const whole = micros * 1000 + nanos;
  const digits = String(whole).padStart(9, '0').slice(0, places);
  if (piece[1] === '0') return `.${digits}`;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : `.${trimmed}`;
}

export function yearDay(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

export function monthName(date: Date): string {
  return MONTHS[date.getUTCMonth()] ?? '';
}

export function weekdayName(date: Date): string {
  return WEEKDAYS[date.getUTCDay()] ?? '';
}

/** What a piece of a layout reads, as an expression, and what it says. */
const READERS: Readonly<Record<string, readonly [string, (parts: DateParts, text: string) => void]>> = {
  January: [MONTHS.join('|'), (parts, text) => (parts.month = MONTHS.indexOf(text))],
  Jan: [
    MONTHS.map((month) => month.slice(0, 3)).join('|'),
    (parts, text) => (parts.month = MONTHS.findIndex((month) => month.startsWith(text))),
  ],
  '2006': ['\\d{4}', (parts, text) => (parts.year = Number(text))],
  '06': ['\\d{2}', (parts, text) => (parts.year = Number(text) + (Number(text) >= 69 ? 1900 : 2000))],
  '01': ['\\d{2}', (parts, text) => (parts.month = Number(text) - 1)],
  '1': ['\\d{1,2}', (parts, text) => (parts.month = Number(text) - 1)],
  '02': ['\\d{2}', (parts, text) => (parts.day = Number(text))],
  _2: ['[ \\d]\\d', (parts, text) => (parts.day = Number(text))],
  '2': ['\\d{1,2}', (parts, text) => (parts.day = Number(text))],
  '15': ['\\d{2}', (parts, text) => (parts.hour = Number(text))],
  '03': ['\\d{2}', (parts, text) => (parts.hour = Number(text))],
  '3': ['\\d{1,2}', (parts, text) => (parts.hour = Number(text))],
  '04': ['\\d{2}', (parts, text) => (parts.minute = Number(text))],
  '4': ['\\d{1,2}', (parts, text) => (parts.minute = Number(text))],
  '05': ['\\d{2}', (parts, text) => (parts.second = Number(text))],
  '5': ['\\d{1,2}', (parts, text) => (parts.second = Number(text))],
  PM: ['AM|PM', (parts, text) => (parts.afternoon = text === 'PM')],
  pm: ['am|pm', (parts, text) => (parts.afternoon = text === 'pm')],
  'Z07:00': ['Z|[-+]\\d{2}:\\d{2}', readOffset],
  Z0700: ['Z|[-+]\\d{4}', readOffset],
  '-07:00': ['[-+]\\d{2}:\\d{2}', readOffset],
  '-0700': ['[-+]\\d{4}', readOffset],
  '-07': ['[-+]\\d{2}', readOffset],
  MST: ['[A-Z]{3,4}', () => undefined],
  Monday: [WEEKDAYS.join('|'), () => undefined],
  Mon: [WEEKDAYS.map((day) => day.slice(0, 3)).join('|'), () => undefined],
};

interface DateParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  offsetMinutes: number;
  afternoon: boolean | undefined;
}

function readOffset(parts: DateParts, text: string): void {
  if (text === 'Z') return;
  const digits = text.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  parts.offsetMinutes = text.startsWith('-') ? -minutes : minutes;
}

/** time.Parse in UTC, in ms since 1970; undefined where the text is not as the layout says. */
export function parseGoLayout(text: string, layout: string): number | undefined {
  const readers: ((parts: DateParts, text: string) => void)[] = [];
  let source = '';
  let at = 0;
  for (const match of layout.matchAll(LAYOUT)) {
    const [piece] = match;
    source += escapeForm(layout.slice(at, match.index));
    at = match.index + piece.length;
    const reader = Object.hasOwn(READERS, piece) ? READERS[piece]! : undefined;
    if (reader === undefined && piece[0] !== '.' && piece[0] !== ',') return undefined;
    const [form, read] = reader ?? ['[.,]\\d{1,9}', readFraction];
    source += `(${form})`;
    readers.push(read);
  }
  // A fraction may stand behind the seconds though the layout has none.
  const found = new RegExp(`^${source}${escapeForm(layout.slice(at))}(?:\\.\\d+)?$`).exec(text);
  if (found === null) return undefined;
  const parts: DateParts = {
    year: 0,
    month: 0,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    ms: 0,
    offsetMinutes: 0,
    afternoon: undefined,
  };
  readers.forEach((read, i) => read(parts, found[i + 1]!));
  return msOf(parts);
}

function readFraction(parts: DateParts, text: string): void {
  parts.ms = Math.floor(Number(`0.${text.slice(1)}`) * 1000);
}

function msOf(parts: DateParts): number | undefined {
  const { year, month, day, minute, second, ms, offsetMinutes, afternoon } = parts;
  const hour = afternoon === undefined ? parts.hour : (parts.hour % 12) + (afternoon ? 12 : 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(hour, minute, second, ms);
  const real =
    date.getUTCMonth() === month && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return real ? date.getTime() - offsetMinutes * 60_000 : undefined;
}

function escapeForm(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
