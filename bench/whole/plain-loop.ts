// What a program of a few lines does with the same expression: `plain-loop.js split|sticky FILE EXPRESSION`.
import { closeSync, openSync, readSync } from 'node:fs';

const [, , kind, file, source] = process.argv as [string, string, 'split' | 'sticky', string, string];
const BLOCK = 1 << 20;

function counter(): (text: string) => number {
  if (kind === 'split') {
    const regex = new RegExp(source);
    return (text) => {
      let matched = 0;
      for (const line of text.split('\n')) if (regex.exec(line) !== null) matched++;
      return matched;
    };
  }
  // The same expression, kept within a line, its groups kept: the least that reads and matches.
  const regex = new RegExp(source.replaceAll('[^"]', '[^"\\n]').replaceAll('[^\\]]', '[^\\]\\n]').replaceAll('[^" ]', '[^" \\n]').replaceAll('\\s.', ' .'), 'my'); // prettier-ignore
  return (text) => {
    let matched = 0;
    for (let at = 0; at < text.length;) {
      regex.lastIndex = at;
      if (regex.exec(text) === null) at = text.indexOf('\n', at) + 1 || text.length;
      else {
        matched++;
        at = regex.lastIndex + 1;
      }
    }
    return matched;
  };
}

const count = counter();
const block = Buffer.allocUnsafe(BLOCK);
const handle = openSync(file, 'r');
let rest = '';
let matched = 0;
for (let got = readSync(handle, block); got > 0; got = readSync(handle, block)) {
  const text = rest + block.toString('latin1', 0, got);
  const end = text.lastIndexOf('\n') + 1;
  matched += count(text.slice(0, end));
  rest = text.slice(end);
}
closeSync(handle);
process.stdout.write(`${matched}\n`);
