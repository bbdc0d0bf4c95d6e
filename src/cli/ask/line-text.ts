import { printable } from '../../model/printable.ts';
import { paint } from '../style.ts';

/** A line as the command line shows it. */
export interface ShownLine {
  /** Nanoseconds since 1970. */
  readonly time: string;
  readonly text: string;
  readonly place: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** It is shown for its neighbour's sake. */
  readonly isContext?: boolean;
}

const COLOURS: Readonly<Record<string, 'red' | 'magenta' | 'yellow' | 'green' | 'blue' | 'dim'>> = {
  critical: 'magenta',
  fatal: 'magenta',
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'blue',
  trace: 'dim',
};

/** Time, where it comes from, and the line, in the colour of its level. */
export function lineText({ time, text, labels, fields, isContext = false }: ShownLine): string {
  const ms = Number(time.slice(0, -6));
  const from = [labels['host'], labels['source'] ?? labels['service_name'] ?? labels['job']].filter(
    (part) => part !== undefined && part !== '',
  );
  const level = fields['detected_level'] ?? labels['detected_level'] ?? '';
  const colour = Object.hasOwn(COLOURS, level) ? COLOURS[level] : undefined;
  const shown = printable(text);
  const line = isContext ? paint('dim', shown) : colour === undefined ? shown : paint(colour, shown);
  return `${paint('dim', new Date(ms).toISOString())} ${printable(from.join(' '))} ${line}`;
}

/** One object a line, for scripts. */
export function lineJson({ time, text, place, labels, fields, isContext = false }: ShownLine): string {
  return JSON.stringify({
    time,
    line: text,
    labels,
    fields,
    ...(place !== '' && { id: place }),
    ...(isContext && { context: true }),
  });
}
