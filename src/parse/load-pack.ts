import { checkYaml } from '../config/checked-yaml.ts';
import { packSchema } from '../config/pack-schema.ts';
import type { Pack } from '../config/pack-schema.ts';
import type { Problem } from '../model/problem.ts';
import { checkPack } from './check-pack.ts';

const checkedSchema = packSchema.superRefine((pack, context) => {
  for (const { path, message } of checkPack(pack))
    context.addIssue({ code: 'custom', path: [...path], message });
});

/** A `pack.yaml` as text, checked in itself: keys, expressions, fields that nothing gives, time formats. */
export function loadPack(text: string, file: string): { pack?: Pack; problems: readonly Problem[] } {
  const checked = checkYaml(text, file, checkedSchema as typeof packSchema);
  return checked.kind === 'ok' ? { pack: checked.value, problems: [] } : { problems: checked.problems };
}
