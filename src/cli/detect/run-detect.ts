import { basename, resolve } from 'node:path';
import { PackLibrary } from '../../agent/pack-library.ts';
import { PackProbe } from '../../detect/pack-probe.ts';
import type { PackFit, Sample } from '../../detect/pack-probe.ts';
import { rankPacks } from '../../detect/rank-packs.ts';
import { loadPack } from '../../parse/load-pack.ts';
import { enableLinearFallback } from '../../parse/pattern/linear.ts';
import type { DetectOptions } from '../detect-command.ts';
import { UsageError } from '../usage-error.ts';
import { detectedConfig } from './detected-config.ts';
import { proposal, writeProposal } from './proposal.ts';
import type { Proposal } from './proposal.ts';
import { detectionJson, renderDetection } from './render-detection.ts';
import { takeSample } from './take-sample.ts';

/** What was found out about one file. */
export interface Detection {
  readonly path: string;
  readonly sample: Sample;
  /** Best first; those that fit and those that only read some of it. */
  readonly fits: readonly PackFit[];
  /** The pack to be used; undefined where none fits. */
  readonly chosen: PackFit | undefined;
  /** Where none fits. */
  readonly proposal?: Proposal;
}

/** Gives the exit status: 1 where a file has no pack that fits. */
export async function runDetect(
  files: readonly string[],
  options: DetectOptions,
  write: (text: string) => void,
): Promise<number> {
  enableLinearFallback();
  const library = new PackLibrary(options.parsers ?? []);
  const probes = loadProbes(library);
  const detections: Detection[] = [];
  for (const path of files) detections.push(await detect(path, probes, library));
  if (options.write !== undefined) {
    for (const { proposal: made } of detections) if (made !== undefined) writeProposal(made, options.write);
  }
  const config = detectedConfig(detections, options);
  if (options.json === true) {
    write(
      `${JSON.stringify({ files: detections.map((one) => detectionJson(one, options.top)), config }, null, 2)}\n`,
    );
  } else {
    for (const one of detections) write(renderDetection(one, options));
    write(config);
  }
  return detections.every(({ chosen }) => chosen !== undefined) ? 0 : 1;
}

/** A user's pack with mistakes is left out; `taffrail test` says what they are. */
function loadProbes(library: PackLibrary): readonly PackProbe[] {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return library.names().flatMap((name) => {
    const file = library.find(name)!;
    const { pack } = loadPack(file.text, file.file);
    return pack === undefined ? [] : [new PackProbe(pack, timeZone)];
  });
}

async function detect(path: string, probes: readonly PackProbe[], library: PackLibrary): Promise<Detection> {
  const sample = await takeSample(path);
  if (sample.bytes.length === 0) throw new UsageError(`${path} is empty: there is nothing to go by`);
  const fits = rankPacks(probes, sample, Date.now(), path === '-' ? '' : resolve(path));
  const best = fits[0];
  const chosen = best?.fits === true ? best : undefined;
  if (chosen !== undefined) return { path, sample, fits, chosen };
  const name = packName(path, library);
  return { path, sample, fits, chosen, proposal: proposal(name, sample.bytes) };
}

/** From the file's name; not one that a pack has. */
function packName(path: string, library: PackLibrary): string {
  const stem =
    path === '-' ? 'stdin' : basename(resolve(path)).replace(/\.(?:log|txt|gz|zst|json|\d+).*$/, '');
  const name =
    stem
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40) || 'mine';
  return library.names().includes(name) ? `${name}-lines` : name;
}
