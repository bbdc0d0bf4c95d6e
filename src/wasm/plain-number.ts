import type { Local, WasmCode } from './wasm-code.ts';

/** Numbers of more characters are for others: so many digits fit an i32. */
const LENGTH_MAX = 9;

/**
 * Code that reads `12` or `12.5` between two addresses: the digits as one number, -1 for anything else, and how many of
 * them stand behind the point.
 */
export function readNumber(
  code: WasmCode,
  { start, end }: Record<'start' | 'end', Local>,
  { digits, decimals }: Record<'digits' | 'decimals', Local>,
): void {
  const at = code.local();
  const digit = code.local();
  const point = code.local();
  code.const(-1).set(digits).const(0).set(decimals);
  code.block((done) => {
    code.get(end).get(start).sub().const(1).sub().const(LENGTH_MAX).geU().brIf(done);
    code.const(0).set(digits).const(0).set(point).get(start).set(at);
    code.loop((more) => {
      code.block((read) => {
        code.get(at).load8().const(0x30).sub().tee(digit).const(10).ltU();
        code.if(() => code.get(digits).const(10).mul().get(digit).add().set(digits).br(read));
        // One point, between digits.
        code.get(digit).const(-2).eq().get(point).eqz().and();
        code.get(at).get(start).gtU().and().get(at).const(1).add().get(end).ltU().and();
        code.if(() => code.get(at).set(point).br(read));
        code.const(-1).set(digits).br(done);
      });
      code.get(at).const(1).add().tee(at).get(end).ltU().brIf(more);
    });
    code.get(point);
    code.if(() => code.get(end).const(1).sub().get(point).sub().set(decimals));
  });
}
