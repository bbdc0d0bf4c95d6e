import type { MetadataInSeries } from '../../logql/sample-extractor.ts';
import type { LinesEngine } from '../../rules/rule-storage.ts';
import type { LineStore } from '../store/store.ts';

/** Asks a store what rules on lines want to know. */
export function linesEngineOf(
  store: Pick<LineStore, 'lines'>,
  metadataInSeries: MetadataInSeries,
): LinesEngine {
  return async (query, timeMs) => {
    const answer = await store.lines({ kind: 'instant', query, timeMs, metadataInSeries });
    if (answer.kind === 'refused') throw new Error(answer.message);
    if (answer.kind !== 'metric') throw new Error(`the store answered ${answer.kind}`);
    const { result } = answer;
    if (result.kind === 'scalar') return { value: { kind: 'scalar', value: result.value } };
    return { value: { kind: 'vector', samples: result.kind === 'vector' ? result.samples : [] } };
  };
}
