import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Document } from 'yaml';
import type { DetectOptions } from '../detect-command.ts';
import type { Detection } from './run-detect.ts';

/** An agent's configuration for the files, that `taffrail check` accepts. Files without a pack are read as lines. */
export function detectedConfig(detections: readonly Detection[], options: DetectOptions): string {
  const names = new Set<string>();
  const parsers = [...(options.parsers ?? []), ...(options.write === undefined ? [] : [options.write])];
  const sources = detections
    .filter(({ path }) => path !== '-')
    .map(({ path, chosen, proposal }) => ({
      name: uniqueName(path, names),
      paths: [liveFile(path)],
      parser: chosen?.pack.name ?? (options.write === undefined ? 'raw' : (proposal?.name ?? 'raw')),
    }));
  if (sources.length === 0) return '';
  const config = {
    state_dir: './taffrail-state',
    ...(parsers.length === 0 ? {} : { parsers: parsers.map((folder) => resolve(folder)) }),
    sources,
  };
  const document = new Document(config);
  document.commentBefore =
    ' taffrail.yaml, as `taffrail detect` found it. Check it: taffrail check -c taffrail.yaml\n' +
    ' Run it: taffrail agent -c taffrail.yaml; the metrics are then at http://127.0.0.1:9470/metrics';
  return document.toString({ lineWidth: 0 });
}

/** The file that a rotated copy was cut from, where there is one. */
function liveFile(path: string): string {
  const whole = resolve(path);
  const live = whole.replace(/(?:[.-]\d{1,8}(?:-\d+)?)?(?:\.(?:gz|zst))?$/, '');
  return live !== whole && existsSync(live) ? live : whole;
}

function uniqueName(path: string, taken: Set<string>): string {
  const stem = basename(path)
    .replace(/\.(?:log|txt|gz|zst|\d+)+.*$/, '')
    .replaceAll(/[^a-zA-Z0-9_.-]+/g, '-');
  const name = (/^[a-zA-Z0-9]/.test(stem) ? stem : `log${stem}`).slice(0, 50);
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}-${n}`;
  taken.add(candidate);
  return candidate;
}
