/**
 * The crc32 of two runs of bytes one after the other, from theirs and the length of the second. A crc is a polynomial
 * over GF(2) modulo the one of crc32; bytes that follow multiply it by x^8 for each.
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  let shifted = first >>> 0;
  let rest = secondBytes;
  for (let bit = 0; rest > 0; bit++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shifted = multiply(powerOf(bit), shifted);
  }
  return (shifted ^ second) >>> 0;
}

/** The polynomial of crc32, its highest coefficient in the lowest bit. */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;
/** By n: x to the power of 8 * 2^n. */
const powers: number[] = [ONE >>> 8];

function powerOf(n: number): number {
  while (powers.length <= n) powers.push(multiply(powers.at(-1)!, powers.at(-1)!));
  return powers[n]!;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor;
    factor = (factor & 1) === 0 ? factor >>> 1 : (factor >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}
