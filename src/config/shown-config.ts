import { parseDocument, stringify } from 'yaml';
import { expandMergeKeys } from '../model/yaml-merge.ts';
import { Secret } from '../platform/secret.ts';

const SHOWN = '<secret>';

/**
 * A configuration for others to see: as it is written, with references (`${env:NAME}`) and not what they stand for, and
 * with `<secret>` where the checked value is one or where an address has a password. `text` has passed the schema.
 */
export function shownConfig(text: string, checked: unknown): string {
  const document = parseDocument(text);
  expandMergeKeys(document);
  return stringify(hidden(document.toJS({ maxAliasCount: 100 }) ?? {}, checked), {
    aliasDuplicateObjects: false,
  });
}

function hidden(written: unknown, checked: unknown): unknown {
  if (checked instanceof Secret) return SHOWN;
  if (typeof written === 'string') return written.replace(/(:\/\/)[^/@\s]+@/g, `$1${SHOWN}@`);
  if (Array.isArray(written))
    return written.map((item: unknown, at) => hidden(item, Array.isArray(checked) ? checked[at] : undefined));
  if (typeof written !== 'object' || written === null) return written;
  return Object.fromEntries(
    Object.entries(written).map(([key, value]) => [
      key,
      hidden(value, (checked as Record<string, unknown> | undefined)?.[key]),
    ]),
  );
}
