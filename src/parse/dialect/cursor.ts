import { at, complain } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import type { Place } from './node.ts';

/** A place in the text of one expression, or of one grok definition. */
export class Cursor {
  readonly text: string;
  readonly dialect: Dialect;
  readonly definition: string | undefined;
  pos = 0;

  constructor(text: string, dialect: Dialect, definition: string | undefined) {
    this.text = text;
    this.dialect = dialect;
    this.definition = definition;
  }

  get atEnd(): boolean {
    return this.pos >= this.text.length;
  }

  peek(ahead = 0): string {
    return this.text.charAt(this.pos + ahead);
  }

  startsWith(what: string): boolean {
    return this.text.startsWith(what, this.pos);
  }

  /** Steps over `what` if it comes next. */
  take(what: string): boolean {
    if (!this.startsWith(what)) return false;
    this.pos += what.length;
    return true;
  }

  /** What a sticky expression matches here, stepped over. */
  match(regex: RegExp): RegExpExecArray | undefined {
    regex.lastIndex = this.pos;
    const found = regex.exec(this.text);
    if (found === null) return undefined;
    this.pos += found[0].length;
    return found;
  }

  /** The next whole character, stepped over. */
  point(): number {
    const point = this.text.codePointAt(this.pos)!;
    this.pos += point > 0xffff ? 2 : 1;
    return point;
  }

  place(start: number): Place {
    return { start, end: this.pos, text: this.text, definition: this.definition };
  }

  /** Refuses what stands from `start` up to the cursor. */
  refuse(start: number, message: string): never {
    return this.refuseText(this.text.slice(start, Math.max(this.pos, start + 1)), start, message);
  }

  refuseText(what: string, start: number, message: string): never {
    return complain(`${at(what, start)} ${message}`, this.definition);
  }
}
