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
export function formatGoTime(ms: number): string {
  return formatGoLayout(ms, '2006-01-02 15:04:05.999999999 -0700 MST');
}

/** time.Format in UTC. */
export function formatGoLayout(ms: number, layout: string): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'invalid time';
  return layout.replace(LAYOUT, (piece) => layoutPiece(date, ms, piece));
}

function layoutPiece(date: Date, ms: number, piece: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12;
  if (piece[0] === '.' || piece[0] === ',') return fraction(ms, piece);
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
function fraction(ms: number, piece: string): string {
  const places = piece.length - 1;
  const micros = Math.floor((((ms % 1000) + 1000) % 1000) * 1000);
  const digits = String(micros).padStart(6, '0').padEnd(9, '0').slice(0, places);
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
