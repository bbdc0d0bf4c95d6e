import type { Instant } from '../../logql/line-reader.ts';
import type { Line, Place } from '../../logql/line.ts';
import type { Labels, Matcher } from '../../model/series.ts';

/** Lines of one stream, or of a part of it. */
export interface StreamFigures {
  readonly labels: Labels;
  readonly entries: number;
  /** Bytes of their texts. */
  readonly bytes: number;
}

/** Which streams a store has between two times; the second is excluded. */
export interface StreamIndex {
  labelSets(matchers: readonly Matcher[], from: Instant, to: Instant): AsyncIterable<Labels>;
  /** In parts: the same stream may come more than once. */
  figures(matchers: readonly Matcher[], from: Instant, to: Instant): AsyncIterable<StreamFigures>;
}

/** Finds lines by their places. */
export interface LinePlaces {
  /** Undefined where no line stands there, or not any more. */
  lineAt(place: Place): Line | undefined;
}
