import { checkYaml } from '../config/checked-yaml.ts';
import { packSchema } from '../config/pack-schema.ts';
import type { LineFormatInput, Pack } from '../config/pack-schema.ts';
import type { Problem } from '../model/problem.ts';
import { layerPatterns } from './line-parsers.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import { patternNotes } from './pattern/pattern-note.ts';
import { usedExpressions } from './used-expressions.ts';

/**
 * What is not wrong with a pack that loads, and slow: patterns that do not run on V8 alone, and those that a short line
 * can make backtrack much. It takes some milliseconds for each pattern, so start-up does not ask.
 */
export function packWarnings(text: string, file: string): readonly Problem[] {
  const checked = checkYaml(text, file, packSchema);
  if (checked.kind === 'bad') return [];
  const pack = checked.value;
  return [...warningsOf(pack, pack, []), ...expressionWarnings(pack)].map(({ path, message }) =>
    checked.problemAt(path, message),
  );
}

type Path = readonly (string | number)[];

interface Warning {
  readonly path: Path;
  readonly message: string;
}

function expressionWarnings(pack: Pack): readonly Warning[] {
  return [...usedExpressions(pack)].flatMap(({ input, path }) =>
    patternNotes(parsePattern(input, {}), false).map(({ message }) => ({ path, message })),
  );
}

function warningsOf(
  layer: LineFormatInput & { then?: Pack['then'] },
  pack: Pack,
  path: Path,
): readonly Warning[] {
  const here = layerPatterns(layer, pack).flatMap((pattern, at) => {
    const owner = layer.patterns?.[at];
    const key = (owner ?? layer).grok === undefined ? 'pattern' : 'grok';
    const place = owner === undefined ? [...path, key] : [...path, 'patterns', at, key];
    return patternNotes(pattern, pack.unsafe).map(({ message }) => ({ path: place, message }));
  });
  return layer.then === undefined ? here : [...here, ...warningsOf(layer.then, pack, [...path, 'then'])];
}
