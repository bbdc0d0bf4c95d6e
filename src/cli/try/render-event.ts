import type { ObservedEvent } from '../../parse/observed-event.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { paint } from '../style.ts';

const LINE_WIDTH = 200;
const VALUE_WIDTH = 120;
const MARKS = { matched: ['green', '✓'], unmatched: ['red', '✗'], filtered: ['yellow', '-'] } as const;

/** The line with its number, and below it what was read from it. */
export function renderEvent(event: ObservedEvent, line: number): string {
  const [colour, mark] = MARKS[event.outcome];
  const number = String(line).padStart(6);
  const head = `${paint('dim', number)} ${paint(colour, mark)} ${shorten(event.text, LINE_WIDTH)}\n`;
  const details = [
    ...(event.outcome === 'unmatched' ? [paint('red', 'not read')] : []),
    ...(event.filteredBy === undefined ? [] : [paint('yellow', `filtered by ${event.filteredBy}`)]),
    ...(event.timeMs === undefined ? [] : [paint('dim', new Date(event.timeMs).toISOString())]),
    ...(event.pattern === undefined ? [] : [paint('magenta', event.pattern)]),
    ...Object.entries(event.fields).map(
      ([name, value]) => `${paint('cyan', printable(name))}=${shorten(quoted(value), VALUE_WIDTH)}`,
    ),
  ];
  return details.length === 0 ? head : `${head}         ${details.join('  ')}\n`;
}

function quoted(value: string | number | boolean): string {
  return typeof value === 'string' && /[\s"=]|^$/.test(value) ? JSON.stringify(value) : String(value);
}

export function eventJson(event: ObservedEvent, line: number): object {
  const { timeMs, ...rest } = event;
  return { line, ...rest, ...(timeMs === undefined ? {} : { time: new Date(timeMs).toISOString() }) };
}
