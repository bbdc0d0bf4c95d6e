import type { Labels, Matcher } from '../model/series.ts';
import type { LogExpr } from './ast.ts';
import type { Line } from './line.ts';

/** An instant: milliseconds since 1970 and the nanoseconds beyond. */
export interface Instant {
  readonly ms: number;
  readonly nanos: number;
}

/** Which lines are wanted of a store. */
export interface LineRequest {
  readonly matchers: readonly Matcher[];
  /** Included. */
  readonly from: Instant;
  /** Excluded. */
  readonly to: Instant;
  /** `any` where the order does not matter, which is quicker. Equal times keep the order in which they were written. */
  readonly order: 'forward' | 'backward' | 'any';
  /** Texts that a line must have somewhere, as it is stored; a store need not look, but may pass over what has not. */
  readonly needles: readonly string[];
  /** The same, for texts that are there in any case. */
  readonly anyCase: readonly string[];
  /** Metadata that a line must have; the same holds. */
  readonly metadata: Labels;
  /** Only what was stored up to this place of the store. */
  readonly storedBy?: string;
}

/** Where lines come from: a store, or a list in a test. */
export interface LineReader {
  /** In batches, so that a reader can give way between them. Whoever has enough ends the iteration. */
  read(request: LineRequest): AsyncIterable<readonly Line[]> | Iterable<readonly Line[]>;
}

/** What the first stages say about lines as they are stored: until one changes the line or its labels. */
export function hintsOf({ stages }: LogExpr): Pick<LineRequest, 'needles' | 'anyCase' | 'metadata'> {
  const needles: string[] = [];
  const anyCase: string[] = [];
  const metadata: Record<string, string> = {};
  let lineIsStored = true;
  let parsed = false;
  for (const stage of stages) {
    switch (stage.kind) {
      case 'line': {
        const [only] = stage.terms;
        if (lineIsStored && stage.op === '|=' && stage.terms.length === 1 && !only!.ip && only!.text !== '')
          needles.push(only!.text);
        const plain =
          lineIsStored && stage.op === '|~' && stage.terms.length === 1 ? plainText(only!.text) : '';
        if (plain !== '') anyCase.push(plain);
        break;
      }
      case 'filter':
        if (!parsed && stage.filter.kind === 'text') {
          const { name, kind, value } = stage.filter.matcher;
          if (kind === '=' && value !== '' && !name.startsWith('__')) metadata[name] = value;
        }
        break;
      case 'line_format':
      case 'unpack':
      case 'decolorize':
        lineIsStored = false;
        parsed = true;
        break;
      case 'json':
      case 'logfmt':
      case 'regexp':
      case 'pattern':
      case 'label_format':
      case 'drop':
      case 'keep':
        parsed = true;
    }
  }
  return { needles, anyCase, metadata };
}

/** The text that a pattern is, where it is one: `(?i)out of memory`, `upstream`. */
function plainText(pattern: string): string {
  return /^(?:\(\?i\))?([A-Za-z0-9 _:;,=<>"'@&%#~-]+)$/.exec(pattern)?.[1] ?? '';
}
