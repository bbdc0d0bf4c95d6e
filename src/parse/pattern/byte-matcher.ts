import type { AST } from '@eslint-community/regexpp';
import { NEWLINE } from './char-set.ts';
import { LineCode, NotForBytes } from './line-code.ts';
import { ResultCode, WORD, resultsLength } from './line-results.ts';
import type { CaptureUse } from './line-results.ts';
import type { Capture, Pattern } from './parse-pattern.ts';
import { hasOneWay } from './prefix-split.ts';
import { compileWasm } from '../wasm/compile-wasm.ts';
import { RESULTS } from '../wasm/scratch.ts';
import { WasmCode } from '../wasm/wasm-code.ts';

/** The line does not match. */
export const NO_MATCH = -1;
/** The line must be asked in another way: bytes that are not plain ASCII, or a choice that may have been the wrong one. */
export const UNSURE = -2;

/**
 * A pattern as WebAssembly over bytes, for lines of plain ASCII. It goes forward only: each choice is made once, the way
 * a backtracking engine would try first, so that it takes linear time and no memory. Where that leads to the end, it is
 * the engine's own match; where it does not, and another choice could have, the answer is UNSURE.
 */
export interface ByteMatcher<Use extends CaptureUse = CaptureUse> {
  /**
   * Matches the lines in `scratch` from address `at` on, one after the other, up to the first that does not match, or
   * for which there is no more space. There is a newline at address `last`, the last one. Gives how many there are results
   * of; others may have been totalled.
   */
  readonly run: (this: void, at: number, last: number) => number;
  readonly captures: readonly Capture[];
  readonly use: Use;
  /** From one line's results to the next's, in `scratch.ints`. */
  readonly stride: number;
}

/** In `scratch.ints`, after a run: why it ended, 0 for another reason than the next line; and where the next line begins. */
export const STATUS = 0;
export const NEXT = 1;
/** Results of so many bytes are made at a time: they are read before they leave the processor's cache. */
const RESULTS_MAX = 16 * 1024;

/** Undefined for patterns that do not begin with `^`, or have elements that look around or repeat more than a character. */
export function compileByteMatcher<Use extends CaptureUse>(
  pattern: Pattern,
  wanted: (field: string) => boolean,
  useOf: (captures: readonly Capture[]) => Use,
): ByteMatcher<Use> | undefined {
  const [only, ...others] = pattern.ast.alternatives;
  if (only === undefined || others.length > 0 || !isEdge(only.elements[0], 'start')) return undefined;
  const toEnd = isEdge(only.elements.at(-1), 'end');
  const elements = only.elements.slice(1, toEnd ? -1 : undefined);
  const captures = pattern.captures.filter(({ field }) => wanted(field));
  const oneWay = hasOneWay(elements, toEnd ? NEWLINE : [], pattern.flags);
  const use = useOf(captures);
  const stride = resultsLength(captures.length, use);
  const most = Math.floor(RESULTS_MAX / WORD / stride);
  if (most === 0) return undefined;
  try {
    const code = new WasmCode(3);
    write(code, elements, { pattern, captures, use, oneWay, toEnd, stride });
    const run = compileWasm('run', 3, code);
    return { run: (at, last) => run(at, last, RESULTS + most * stride * WORD), captures, use, stride };
  } catch (error) {
    if (error instanceof NotForBytes) return undefined;
    throw error;
  }
}

function isEdge(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind;
}

interface Whole {
  readonly pattern: Pattern;
  readonly captures: readonly Capture[];
  readonly use: CaptureUse;
  /** What does not match when each choice is made once does not match. */
  readonly oneWay: boolean;
  /** The pattern goes to the end of the line. */
  readonly toEnd: boolean;
  readonly stride: number;
}

/** Its parameters are the address of the first line, that of the last newline, and where there is no more space for results. */
function write(code: WasmCode, elements: readonly AST.Element[], whole: Whole): void {
  const { pattern, captures, use, oneWay, toEnd, stride } = whole;
  const next = code.parameter(0);
  const begin = code.local();
  const at = code.local();
  const results = code.local();
  const lines = code.local();
  code.const(RESULTS).set(results);
  code
    .const(STATUS * WORD)
    .const(0)
    .store();
  code.block((stop) => {
    code.loop((again) => {
      code.get(next).get(code.parameter(1)).gtU().brIf(stop);
      code.get(results).get(code.parameter(2)).geU().brIf(stop);
      code.get(next).tee(begin).set(at);
      code.block((unsure) => {
        const line = new LineCode(code, { at, results, unsure }, pattern, captures, oneWay && toEnd);
        code.block((fail) => {
          line.elements(elements, fail);
          if (!toEnd) line.rest();
          line.atEnd();
          code.eqz().brIf(toEnd ? fail : unsure);
          // Behind `\n` or `\r\n`.
          code.get(at).load8().const(0x0a).ne().get(at).add().const(1).add().set(next);
          new ResultCode(code, results, captures.length, use).line(begin, at, again);
          code
            .get(results)
            .const(stride * WORD)
            .add()
            .set(results);
          code.get(lines).const(1).add().set(lines).br(again);
        });
        line.isSpecial();
        code.brIf(unsure);
        if (!oneWay) code.br(unsure);
        code
          .const(STATUS * WORD)
          .const(NO_MATCH)
          .store()
          .br(stop);
      });
      code
        .const(STATUS * WORD)
        .const(UNSURE)
        .store();
    });
  });
  code
    .const(NEXT * WORD)
    .get(next)
    .store();
  code.get(lines);
}
