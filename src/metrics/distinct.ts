/** log2 of the number of registers: 2048 of them estimate within 2.3 % (one standard error). */
const INDEX_BITS = 11;
export const REGISTERS = 1 << INDEX_BITS;

/** Where a value falls: `register * 64 + rank`. Two independent 32-bit hashes: one picks the register, one is ranked. */
export function distinctHash(value: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  const mixed = mix(a ^ (b >>> 16));
  const rank = Math.clz32(mix(b ^ mixed ^ value.length)) + 1;
  return (mixed >>> (32 - INDEX_BITS)) * 64 + rank;
}

function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** HyperLogLog's estimate, with linear counting where few registers are set. */
export function estimateDistinct(registers: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros++;
  }
  const m = registers.length;
  const estimate = ((0.7213 / (1 + 1.079 / m)) * m * m) / sum;
  return Math.round(estimate <= 2.5 * m && zeros > 0 ? m * Math.log(m / zeros) : estimate);
}
