import type { AST } from '@eslint-community/regexpp';
import { NEWLINE } from './char-set.ts';
import { CandidateCode } from './candidate-code.ts';
import { LineCode, NotForBytes } from './line-code.ts';
import { RESULTS_BYTES, ResultCode, WORD, resultsLength } from './line-results.ts';
import type { CaptureUse } from './line-results.ts';
import type { Capture, Pattern } from './parse-pattern.ts';
import { hasOneWay } from './prefix-split.ts';
import { BusyCode } from '../../wasm/busy-code.ts';
import { RESULTS, scratch } from '../../wasm/scratch.ts';
import { WasmCode } from '../../wasm/wasm-code.ts';

/** The line does not match. */
export const NO_MATCH = -1;
/** The line must be asked in another way: bytes that are not plain ASCII, or a choice that may have been the wrong one. */
export const UNSURE = -2;

/**
 * Patterns as WebAssembly over bytes, for lines of plain ASCII; the first that matches wins. They go forward only: each
 * choice is made once, the way a backtracking engine would try first, so that it takes linear time and no memory. Where
 * that leads to the end, it is the engine's own match; where it does not, and another choice could have, the answer is
 * UNSURE.
 */
export interface ByteMatcher<Use extends CaptureUse = CaptureUse> {
  /**
   * Matches the lines in `scratch` from address `at` on, one after the other, up to the first that is UNSURE, or that does
   * not match if that is to be told, or for which there is no more space. There is a newline at address `last`, the last
   * one. Gives how many lines there are results of; others may have been totalled, or missed.
   */
  readonly run: (this: void, at: number, last: number, tellMissed: 0 | 1) => number;
  readonly patterns: readonly BytePattern<Use>[];
  /** From one line's results to the next's, in `scratch.ints`. */
  readonly stride: number;
}

export interface BytePattern<Use extends CaptureUse = CaptureUse> {
  readonly captures: readonly Capture[];
  readonly use: Use;
}

/** In `scratch.ints`, after a run: why it ended, 0 for another reason than the next line; and where the next line begins. */
export const STATUS = 0;
export const NEXT = 1;
/** And what is added to, run after run: lines that do not match and were not told, and their bytes with their line ends. */
export const MISSED = 3;
export const MISSED_BYTES = 4;
/** Of the code of all patterns. */
const SIZE_MAX = 512 * 1024;
/** Code that went over so many is optimised. */
const MANY_BYTES = 8 << 20;

/**
 * Undefined for patterns that do not begin with `^`, or have elements that look around or repeat more than a character.
 * `dispatch`: whether words behind common beginnings tell which patterns are tried; to find these takes long where
 * patterns are long.
 */
export function compileByteMatcher<Use extends CaptureUse>(
  patterns: readonly Pattern[],
  wanted: (field: string) => boolean,
  useOf: (captures: readonly Capture[], index: number) => Use,
  { dispatch = true } = {},
): ByteMatcher<Use> | undefined {
  if (patterns.length === 0 || patterns.some((pattern) => forwardElements(pattern) === undefined))
    return undefined;
  const used = patterns.map((pattern, index) => {
    const captures = pattern.captures.filter(({ field }) => wanted(field));
    return { ...forwardElements(pattern)!, pattern, captures, use: useOf(captures, index) };
  });
  const stride = Math.max(...used.map(({ captures, use }) => resultsLength(captures.length, use)));
  const most = Math.floor(RESULTS_BYTES / WORD / stride);
  if (most === 0) return undefined;
  try {
    const code = new WasmCode(4);
    write(code, used, stride, dispatch);
    const busy = new BusyCode('run', 4, code, MANY_BYTES);
    const end = RESULTS + most * stride * WORD;
    const run = (at: number, last: number, tellMissed: 0 | 1): number => {
      const lines = busy.run(at, last, end, tellMissed);
      busy.did(scratch.ints[NEXT]! - at);
      return lines;
    };
    return { run, patterns: used, stride };
  } catch (error) {
    if (error instanceof NotForBytes) return undefined;
    throw error;
  }
}

/** What stands between `^` and, perhaps, `$`. */
function forwardElements({ ast, flags }: Pattern): Forward | undefined {
  const [only, ...others] = ast.alternatives;
  if (only === undefined || others.length > 0 || !isEdge(only.elements[0], 'start')) return undefined;
  const toEnd = isEdge(only.elements.at(-1), 'end');
  const elements = only.elements.slice(1, toEnd ? -1 : undefined);
  return { elements, toEnd, oneWay: hasOneWay(elements, toEnd ? NEWLINE : [], flags) };
}

function isEdge(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind;
}

interface Forward {
  readonly elements: readonly AST.Element[];
  /** The pattern goes to the end of the line. */
  readonly toEnd: boolean;
  /** What does not match when each choice is made once does not match. */
  readonly oneWay: boolean;
}

interface Used extends Forward, BytePattern {
  readonly pattern: Pattern;
}

/**
 * Its parameters are the address of the first line, that of the last newline, where there is no more space for results,
 * and whether lines that do not match are told.
 */
function write(code: WasmCode, patterns: readonly Used[], stride: number, dispatch: boolean): void {
  const next = code.parameter(0);
  const begin = code.local();
  const at = code.local();
  const results = code.local();
  const lines = code.local();
  const header = (index: number, value: () => void): void => {
    code.const(index * WORD);
    value();
    code.store();
  };
  code.const(RESULTS).set(results);
  header(STATUS, () => code.const(0));
  code.block((stop) => {
    code.loop((again) => {
      code.get(next).get(code.parameter(1)).gtU().brIf(stop);
      code.get(results).get(code.parameter(2)).geU().brIf(stop);
      code.get(next).tee(begin).set(at);
      code.block((unsure) => {
        const where = { at, results, unsure };
        const candidates = new CandidateCode(code, where, patterns, dispatch);
        candidates.find();
        for (const [index, one] of patterns.entries()) {
          const { pattern, captures, use, elements, toEnd, oneWay } = one;
          const line = new LineCode(code, where, pattern, captures, oneWay && toEnd);
          code.block((other) => {
            candidates.unless(index, other);
            code.get(begin).set(at);
            code.block((fail) => {
              line.elements(elements, fail);
              if (!toEnd) line.rest();
              line.atEnd();
              code.eqz().brIf(toEnd ? fail : unsure);
              // Behind `\n` or `\r\n`.
              code.get(at).load8().const(0x0a).ne().get(at).add().const(1).add().set(next);
              new ResultCode(code, results, captures.length, use, index).line(begin, at, again);
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
          });
          if (code.size > SIZE_MAX) throw new NotForBytes();
        }
        code.get(code.parameter(3));
        code.if(() => {
          header(STATUS, () => code.const(NO_MATCH));
          code.br(stop);
        });
        const line = new LineCode(code, where, patterns[0]!.pattern, [], false);
        code.get(begin).set(at);
        line.rest();
        line.atEnd();
        code.eqz().brIf(unsure);
        code.get(at).load8().const(0x0a).ne().get(at).add().const(1).add().set(next);
        header(MISSED, () =>
          code
            .const(MISSED * WORD)
            .load()
            .const(1)
            .add(),
        );
        header(MISSED_BYTES, () =>
          code
            .const(MISSED_BYTES * WORD)
            .load()
            .get(next)
            .add()
            .get(begin)
            .sub(),
        );
        code.br(again);
      });
      header(STATUS, () => code.const(UNSURE));
    });
  });
  header(NEXT, () => code.get(next));
  code.get(lines);
}
