/** A piece of a pattern: a text, or a capture (`_` is thrown away). */
type Piece = { readonly text: string } | { readonly capture: string };

/** Told of each capture. */
export type CaptureSink = (name: string, value: string) => void;

const CAPTURE = /<([a-zA-Z_][a-zA-Z0-9_]*)>/g;

/**
 * The pattern of the stage `pattern`: its first literal stands at the beginning of the line; a capture ends at the next
 * place of the literal behind it. Where that is missing the capture takes the rest, and those behind it are absent.
 * Throws an Error for a pattern without a name, with a name twice, or with two captures side by side.
 */
export function parseCapturePattern(pattern: string): (line: string, sink: CaptureSink) => void {
  const pieces = piecesOf(pattern);
  check(pattern, pieces);
  return (line, sink) => capture(pieces, line, sink);
}

function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of pattern.matchAll(CAPTURE)) {
    if (match.index > at) pieces.push({ text: pattern.slice(at, match.index) });
    pieces.push({ capture: match[1]! });
    at = match.index + match[0].length;
  }
  if (at < pattern.length) pieces.push({ text: pattern.slice(at) });
  return pieces;
}

function check(pattern: string, pieces: readonly Piece[]): void {
  const shown = `pattern ${JSON.stringify(pattern)}`;
  const names = pieces.flatMap((piece) =>
    'capture' in piece && piece.capture !== '_' ? [piece.capture] : [],
  );
  if (names.length === 0)
    throw new Error(`${shown} names nothing; write <name> where a label's value stands`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`${shown} has <${twice}> twice`);
  for (let i = 1; i < pieces.length; i++) {
    if ('capture' in pieces[i]! && 'capture' in pieces[i - 1]!)
      throw new Error(`${shown} has two captures side by side; nothing tells where the first one ends`);
  }
}

function capture(pieces: readonly Piece[], line: string, sink: CaptureSink): void {
  if (line === '') return;
  let at = 0;
  const first = pieces[0]!;
  let i = 0;
  if ('text' in first) {
    if (!line.startsWith(first.text)) return;
    at = first.text.length;
    i = 1;
  }
  for (; i < pieces.length; i += 2) {
    const { capture: name } = pieces[i] as { readonly capture: string };
    const behind = pieces[i + 1];
    const end =
      behind === undefined ? line.length : line.indexOf((behind as { readonly text: string }).text, at);
    if (name !== '_') sink(name, line.slice(at, end < 0 ? line.length : end));
    if (end < 0 || behind === undefined) return;
    at = end + (behind as { readonly text: string }).text.length;
  }
}
