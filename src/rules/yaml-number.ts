const INTEGER = /^[-+]?(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+))$/;
const DECIMAL = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const INFINITE = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;

/**
 * A plain scalar as Go's YAML readers take it for a number: decimal, `0x1F`, `0b11`, `0o17`, `017` (octal, too),
 * underscores between digits, `.inf`, `-.Inf`, `.nan`. Undefined for what they take for a string.
 */
export function yamlNumber(text: string): number | undefined {
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  const sign = text.startsWith('-') ? -1 : 1;
  if (INFINITE.test(text)) return sign * Infinity;
  const plain = text.startsWith('_') ? text : text.replaceAll('_', '');
  const [, hex, binary, octal] = INTEGER.exec(plain) ?? [];
  if (hex !== undefined) return sign * Number.parseInt(hex, 16);
  if (binary !== undefined) return sign * Number.parseInt(binary, 2);
  if (octal !== undefined) return sign * Number.parseInt(octal, 8);
  const value = DECIMAL.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
