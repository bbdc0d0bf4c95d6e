const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function count(value) {
  return Number.isFinite(value) ? whole.format(value) : '–';
}

/** At most four digits that say something: `0.0123`, `12.3`, `1.23 M`. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? '∞' : '−∞';
  if (size >= 1e12) return value.toExponential(2);
  if (size >= 1e9) return `${trim(value / 1e9)} G`;
  if (size >= 1e6) return `${trim(value / 1e6)} M`;
  if (size >= 1e4) return `${trim(value / 1e3)} k`;
  if (size !== 0 && size < 1e-3) return value.toExponential(2);
  return trim(value);
}

function trim(value) {
  return String(Number(value.toPrecision(4)));
}

export function bytes(value) {
  if (!Number.isFinite(value)) return '–';
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < BYTES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${BYTES[unit]}`;
}

export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function ago(ms, now) {
  if (!ms) return 'never';
  const gone = now - ms;
  return gone < 1500 ? 'now' : `${duration(gone)} ago`;
}

const pad = (value, width = 2) => String(value).padStart(width, '0');

/** Local time with milliseconds; the day too where it is not today. */
export function time(ms) {
  const date = new Date(ms);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return date.toDateString() === new Date().toDateString() ? clock : `${day(date)} ${clock}`;
}

function day(date) {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export function dateTime(ms) {
  const date = new Date(ms);
  return `${day(date)} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** A value of a record's attribute or body as text. */
export function valueText(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
