import { typedAttributes } from '../model/container-path.ts';
import type { Batch, BatchPart } from '../model/entry.ts';
import type { RecordBlock } from '../model/slice.ts';
import type { StoredGroup } from '../wire/otlp-logs.ts';
import { serviceAttributes } from '../wire/agent-resource.ts';
import { OWN_SCOPE } from '../wire/otlp-metrics.ts';

export interface SenderFacts {
  readonly agent: string;
  readonly version: string;
  /** Resource attributes of the host. */
  readonly resource: Readonly<Record<string, string>>;
}

/** The records of a batch, those of one source with the same labels together. Order within a source is kept. */
export function recordGroups(batch: Batch, sender: SenderFacts): StoredGroup[] {
  const groups = new Map<string, StoredGroup & { blocks: RecordBlock[] }>();
  for (const part of batch.parts) {
    const key = JSON.stringify([part.source, part.labels]);
    let group = groups.get(key);
    if (group === undefined) {
      group = {
        resource: resourceOf(part, sender),
        scope: { name: OWN_SCOPE, version: sender.version },
        blocks: [],
      };
      groups.set(key, group);
    }
    for (const block of part.blocks) group.blocks.push(block);
  }
  return [...groups.values()];
}

function resourceOf(part: BatchPart, sender: SenderFacts): Record<string, string | number> {
  return {
    ...sender.resource,
    ...serviceAttributes(sender.agent, { ...sender.resource, ...part.labels }, part.source),
    ...typedAttributes(part.labels),
    'taffrail.agent': sender.agent,
    'taffrail.source': part.source,
  };
}

export function recordsIn(batch: Batch): number {
  return batch.parts.reduce((sum, part) => sum + recordsInPart(part), 0);
}

function recordsInPart(part: BatchPart): number {
  return part.blocks.reduce((sum, block) => sum + block.count, 0);
}

/** In memory, compressed or not. */
export function bytesIn(batch: Batch): number {
  return batch.parts.reduce(
    (sum, part) => sum + part.blocks.reduce((each, block) => each + block.bytes.length, 0),
    0,
  );
}
