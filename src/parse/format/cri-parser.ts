import type { FieldNames, Row } from '../row.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

export const CRI_LINE = /^(\d{4}-\S+) (stdout|stderr) ([FP](?::\S*)?) ?/;

/** A container runtime's line, its partial lines already joined. */
export class CriParser implements LineParser {
  readonly #time: number;
  readonly #stream: number;
  readonly #message: number;

  constructor(fields: FieldNames) {
    this.#time = fields.find('time');
    this.#stream = fields.find('stream');
    this.#message = fields.find('message');
  }

  parse(text: string, row: Row): number {
    const match = CRI_LINE.exec(text);
    if (match === null) return UNMATCHED;
    row.set(this.#time, match[1]);
    row.set(this.#stream, match[2]);
    row.set(this.#message, text.slice(match[0].length));
    return 0;
  }
}
