import type { LogfmtStage } from './ast.ts';
import type { LineParser } from './json-parser.ts';
import { labelName, labelText } from './label-name.ts';
import type { LineLabels } from './line-labels.ts';
import { LogfmtScan } from './logfmt-scan.ts';

/** The stage `logfmt`. With `wanted` it stops as soon as these names are found. */
export function logfmtParser(stage: LogfmtStage, wanted?: ReadonlySet<string>): LineParser {
  const { extractions } = stage;
  if (extractions.length > 0) return (line, labels) => readSome(stage, line, labels);
  return (line, labels) => readAll(stage, line, labels, wanted);
}

/** Each pair in turn; false from the sink ends the reading. A bad pair ends it with --strict, and is passed over else. */
function eachPair(
  { strict }: LogfmtStage,
  line: string,
  labels: LineLabels,
  sink: (key: string, value: string) => boolean,
): void {
  // Without a pair there is nothing to find but bare keys, which are dropped.
  const scan = new LogfmtScan(line);
  for (;;) {
    if (scan.next()) {
      if (!sink(scan.key, scan.value ?? '')) return;
    } else {
      const { mistake } = scan;
      if (mistake === undefined) return;
      if (strict) {
        labels.fail('LogfmtParserErr', `logfmt syntax error at pos ${mistake.at} : ${mistake.what}`);
        return;
      }
      scan.skip();
    }
  }
}

function readAll(
  stage: LogfmtStage,
  line: string,
  labels: LineLabels,
  wanted: ReadonlySet<string> | undefined,
): void {
  if (!stage.keepEmpty && !stage.strict && !line.includes('=')) return;
  let missing = wanted?.size ?? Number.POSITIVE_INFINITY;
  eachPair(stage, line, labels, (key, value) => {
    if (value === '' && !stage.keepEmpty) return true;
    const name = labelName(key);
    if (name === '') return true;
    labels.addParsed(name, labelText(value));
    if (wanted?.has(name) === true) missing--;
    return missing > 0;
  });
}

/** Those that are named: of a key twice in the line the last one counts, and one that is missing is empty. */
function readSome(stage: LogfmtStage, line: string, labels: LineLabels): void {
  const found = new Map<string, string>();
  eachPair(stage, line, labels, (key, value) => {
    found.set(labelName(key), value.includes('\ufffd') ? '' : value);
    return true;
  });
  for (const { name, path } of stage.extractions) {
    labels.addParsed(name, found.get(path) ?? '');
    // A field goes to the first label that asks for it.
    found.delete(path);
  }
}
