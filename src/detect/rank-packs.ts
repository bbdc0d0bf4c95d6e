import type { PackFit, PackProbe, Sample } from './pack-probe.ts';

/** Every pack is held against so much; the better ones then against the whole sample. */
const FIRST_LOOK_BYTES = 48 * 1024;
const FINALISTS = 6;

/** A pack that the path names comes first where it explains about as much as the best. */
const NAMED_SCORE_RATIO = 0.7;

/**
 * The packs that read any of the sample, best first. `nowMs` decides missing years; `path` is evidence where the content
 * does not decide: plain access lines are nginx's in `/var/log/nginx/access.log`.
 */
export function rankPacks(
  probes: readonly PackProbe[],
  sample: Sample,
  nowMs: number,
  path = '',
): readonly PackFit[] {
  return namedFirst(rankByContent(probes, sample, nowMs), path);
}

function namedFirst(fits: readonly PackFit[], path: string): readonly PackFit[] {
  const [best] = fits;
  if (best === undefined || namesPack(path, best.pack.name)) return fits;
  const named = fits.find(
    (fit) =>
      fit.fits &&
      fit.score >= best.score * NAMED_SCORE_RATIO &&
      fit.matchRatio >= best.matchRatio &&
      namesPack(path, fit.pack.name),
  );
  return named === undefined ? fits : [named, ...fits.filter((fit) => fit !== named)];
}

/** Whether the pack's name stands in the path as a word. */
function namesPack(path: string, name: string): boolean {
  return `/${path.toLowerCase()}/`
    .split(/[^a-z0-9]+/)
    .join('-')
    .includes(`-${name}-`);
}

function rankByContent(probes: readonly PackProbe[], sample: Sample, nowMs: number): readonly PackFit[] {
  const small = firstLines(sample);
  const first = rank(probes, small, nowMs);
  if (small === sample) return first;
  const finalists = new Set(first.slice(0, FINALISTS).map(({ pack }) => pack));
  return rank(
    probes.filter(({ pack }) => finalists.has(pack)),
    sample,
    nowMs,
  );
}

function rank(probes: readonly PackProbe[], sample: Sample, nowMs: number): PackFit[] {
  return probes
    .map((probe) => probe.try(sample, nowMs))
    .filter(({ matchRatio }) => matchRatio > 0)
    .toSorted((a, b) => b.score - a.score || (a.pack.name < b.pack.name ? -1 : 1));
}

function firstLines(sample: Sample): Sample {
  if (sample.bytes.length <= FIRST_LOOK_BYTES * 2) return sample;
  const half = sample.bytes.length >> 1;
  const parts = [0, sample.bytes.indexOf(10, half) + 1].map((from) => {
    const to = sample.bytes.lastIndexOf(10, from + FIRST_LOOK_BYTES / 2) + 1;
    return sample.bytes.subarray(from, Math.max(from, to));
  });
  return { ...sample, bytes: Buffer.concat(parts) };
}
