/** Whether a line fits. */
export type LineTest = (line: string) => boolean;

/**
 * The pattern of `|>`: literals with `<_>` between, which stands for at least one character. A literal is taken at its
 * first place; the beginning of the line is not anchored, its end is. Throws an Error for a named capture or two `<_>`
 * side by side.
 */
export function parseLinePattern(pattern: string): LineTest {
  if (pattern === '') return (line) => line === '';
  const named = /<([a-zA-Z_][a-zA-Z0-9_]*)>/g;
  for (const [whole, name] of pattern.matchAll(named)) {
    if (name !== '_') throw new Error(`|> has no use for the name in ${whole}; write <_>`);
  }
  if (pattern.includes('<_><_>')) throw new Error('<_><_>: two captures need a text between them');
  const literals = pattern.split('<_>');
  const open = literals.at(-1) === '';
  return (line) => fits(line, literals, open);
}

function fits(line: string, literals: readonly string[], open: boolean): boolean {
  let at = 0;
  for (let i = 0; i < literals.length; i++) {
    const literal = literals[i]!;
    const last = i === literals.length - 1;
    if (i > 0 && at >= line.length) return false;
    if (i > 0 && last && open) return true;
    if (literal === '') continue;
    const found = line.indexOf(literal, at);
    // What `<_>` stands for is never empty, and a literal is not looked for behind its first place.
    if (found < 0 || (i > 0 && found === at)) return false;
    at = found + literal.length;
  }
  return at === line.length;
}
