import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

/** Colours on a terminal, plain text elsewhere and where NO_COLOR is set. */
export function paint(style: Style, text: string): string {
  return coloured ? styleText(style, text) : text;
}

/** Rows as columns of equal width; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [
    head,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row, index) => {
      const line = row.map((cell, column) => {
        const right = rows.some((other) => typeof other[column] === 'number');
        return right ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      });
      return index === 0 ? paint('dim', line.join('  ').trimEnd()) : line.join('  ').trimEnd();
    })
    .join('\n');
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}
