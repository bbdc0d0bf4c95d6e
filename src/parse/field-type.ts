import type { FieldType, LineFormatInput, Pack } from '../config/pack-schema.ts';
import { layerPatterns } from './line-parsers.ts';
import type { FieldValue } from './row.ts';

/** What the pack says of its fields, in `fields` or in grok (`%{INT:n:int}`). */
export function fieldTypes(pack: Pack): Readonly<Record<string, FieldType>> {
  const types: Record<string, FieldType> = {};
  let prefix = '';
  for (
    let layer: (LineFormatInput & { prefix?: string | undefined; then?: Pack['then'] }) | undefined = pack;
    layer !== undefined;
    layer = layer.then
  ) {
    prefix += layer.prefix ?? '';
    for (const pattern of layerPatterns(layer, pack)) {
      for (const [field, type] of Object.entries(pattern.types)) types[prefix + field] = type;
    }
  }
  return { ...types, ...pack.fields };
}

/** To the type of a field; what cannot be converted stays as it is. */
export function converter(type: FieldType): (value: FieldValue) => FieldValue {
  switch (type) {
    case 'text':
      return String;
    case 'bool':
      return (value) =>
        /^(?:true|yes|on|1)$/i.test(String(value))
          ? true
          : /^(?:false|no|off|0)$/i.test(String(value))
            ? false
            : value;
    case 'int':
      return (value) => {
        const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
        return Number.isSafeInteger(number)
          ? number
          : Number.isFinite(number) && !/^-?\d+$/.test(String(value))
            ? Math.trunc(number)
            : value;
      };
    case 'float':
      return (value) => {
        const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
        return Number.isFinite(number) ? number : value;
      };
  }
}
