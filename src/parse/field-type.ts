import type { FieldType } from '../config/pack-schema.ts';
import type { FieldValue } from './row.ts';

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
