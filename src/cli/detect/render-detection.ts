import type { MetricEstimate } from '../../detect/label-tally.ts';
import type { PackFit } from '../../detect/pack-probe.ts';
import type { DetectOptions } from '../detect-command.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { bytes, paint } from '../style.ts';
import type { Detection } from './run-detect.ts';

/** What explains less of the lines is not worth a look. */
const SCORE_SHOWN = 10;

/** A pack that reads less is told with a line that it does not read. */
const READ_WELL = 0.95;

/** As YAML comments, so that the whole output is a configuration. */
export function renderDetection(detection: Detection, options: DetectOptions): string {
  const { path, sample, fits, chosen, proposal } = detection;
  const shown = fits.filter((fit) => fit.fits || fit.score >= SCORE_SHOWN).slice(0, options.top);
  const lines = [
    `${paint('bold', path === '-' ? 'standard input' : printable(path))} (${bytes(sample.fileBytes)}, ${bytes(sample.bytes.length)} looked at)`,
    ...shown.flatMap((fit) => renderFit(fit, detection, fit === chosen)),
  ];
  if (proposal !== undefined) {
    const where =
      options.write === undefined
        ? 'write it with --write ./parsers'
        : `written to ${options.write}/${proposal.name}`;
    lines.push(
      paint('yellow', 'no pack fits.') +
        ` Proposed from the lines themselves (matches ${ratio(proposal.matchRatio)}); ${where}:`,
      ...(options.write === undefined ? proposal.files.get('pack.yaml')!.trimEnd().split('\n') : []).map(
        (line) => `  ${printable(line)}`,
      ),
    );
  }
  return `${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}\n#\n`;
}

function renderFit(fit: PackFit, detection: Detection, isChosen: boolean): string[] {
  const mark = isChosen ? paint('green', '✓') : ' ';
  const head = `${mark} ${paint('cyan', fit.pack.name)}: ${ratio(fit.matchRatio)} of lines, score ${fit.score.toFixed(0)}`;
  if (!isChosen) return [head];
  return [
    head,
    ...unreadLines(fit),
    ...(fit.firstMs === undefined ? [] : [`    ${timeRange(fit)}, ${rateText(fit, detection)}`]),
    ...fit.metrics.flatMap(metricLines),
  ];
}

/** A level or a kind of line that the pack knows nothing of is easily overlooked. */
function unreadLines({ matchRatio, unmatchedSample }: PackFit): string[] {
  if (matchRatio >= READ_WELL || unmatchedSample === undefined) return [];
  const text = `    ${ratio(1 - matchRatio)} of lines are not read, the first: ${shorten(unmatchedSample, 100)}`;
  return [paint('yellow', text)];
}

function metricLines({ name, type, series, exact, labels }: MetricEstimate): string[] {
  return [
    `    ${printable(name)} (${type}): ${exact ? '' : 'about '}${series} series`,
    ...labels.map((label) => {
      const top = label.top.map(([value, count]) => `${shorten(value, 40)} ${count}`).join(', ');
      return `      ${label.name}: ${exact ? '' : 'about '}${label.values} values: ${top}`;
    }),
  ];
}

function timeRange({ firstMs, lastMs }: PackFit): string {
  return `${new Date(firstMs!).toISOString()} to ${new Date(lastMs!).toISOString()}`;
}

function rateText(fit: PackFit, detection: Detection): string {
  const rate = lineRate(fit, detection);
  return rate === undefined
    ? 'no line rate'
    : `${rate < 10 ? rate.toPrecision(2) : Math.round(rate)} lines/s`;
}

function estimatedLines({ counts }: PackFit, { sample }: Detection): number {
  return Math.round((counts.lines / sample.bytes.length) * sample.fileBytes);
}

function lineRate(fit: PackFit, detection: Detection): number | undefined {
  if (fit.firstMs === undefined || fit.lastMs! <= fit.firstMs) return undefined;
  return (estimatedLines(fit, detection) / (fit.lastMs! - fit.firstMs)) * 1000;
}

function ratio(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function detectionJson(detection: Detection, top: number): object {
  const { path, sample, fits, chosen, proposal } = detection;
  return {
    file: path,
    bytes: sample.fileBytes,
    sample_bytes: sample.bytes.length,
    pack: chosen?.pack.name ?? null,
    packs: fits.slice(0, top).map((fit) => ({
      name: fit.pack.name,
      fits: fit.fits,
      match_ratio: fit.matchRatio,
      score: fit.score,
      ...(fit.firstMs === undefined
        ? {}
        : { from: new Date(fit.firstMs).toISOString(), to: new Date(fit.lastMs!).toISOString() }),
      lines: estimatedLines(fit, detection),
      lines_per_second: lineRate(fit, detection) ?? null,
      metrics: fit.metrics,
    })),
    ...(proposal === undefined
      ? {}
      : {
          proposal: {
            name: proposal.name,
            match_ratio: proposal.matchRatio,
            files: Object.fromEntries(proposal.files),
          },
        }),
  };
}
