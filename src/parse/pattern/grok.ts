import { RegExpParser } from '@eslint-community/regexpp';
import { didYouMean } from '../../model/did-you-mean.ts';
import type { FieldType } from '../../config/pack-schema.ts';
import { GROK_DEFINITIONS } from './grok-definitions.ts';
import { PatternError } from './pattern-error.ts';

/** A grok expression as a JavaScript one. Group names are made; `fields` says which field each stands for. */
export interface GrokExpansion {
  readonly source: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly types: Readonly<Record<string, FieldType>>;
}

const REFERENCE =
  /%\{([A-Z0-9_]+)(?::([^:}]+))?(?::(int|integer|long|float|double|string|text|bool|boolean))?\}/g;
const DEPTH_MAX = 20;

/** `%{NAME}`, `%{NAME:field}` and `%{NAME:field:type}`; the rest of the text is a regular expression as it is. */
export function expandGrok(text: string, definitions: Readonly<Record<string, string>>): GrokExpansion {
  const fields = new Map<string, string>();
  const types: Record<string, FieldType> = {};
  const expand = (part: string, depth: number, named: boolean): string => {
    if (depth > DEPTH_MAX)
      throw new PatternError(`grok definitions refer to each other in a circle near ${part.slice(0, 60)}`);
    const malformed = /%\{(?![A-Z0-9_]+(?::[^:}]+)?(?::\w+)?\})[^}]*\}?/.exec(part);
    if (malformed !== null)
      throw new PatternError(
        `cannot read ${malformed[0]}; expected %{NAME}, %{NAME:field} or %{NAME:field:int}`,
      );
    return part.replace(REFERENCE, (whole, name: string, field?: string, type?: string, at: number = 0) => {
      const definition = Object.hasOwn(definitions, name) ? definitions[name] : GROK_DEFINITIONS[name];
      if (definition === undefined) throw new PatternError(unknownName(whole, name, definitions));
      const inner = expand(definition, depth + 1, named);
      if (field === undefined || !named) {
        const isRepeated = /^[*+?{]/.test(part.slice(at + whole.length));
        return at === 0 && !isRepeated && isBeginning(inner) ? inner : `(?:${inner})`;
      }
      const clean = fieldOf(field);
      if (type !== undefined) types[clean] = typeOf(type);
      const group = `g${fields.size}_${clean.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
      fields.set(group, clean);
      return `(?<${group}>${inner})`;
    });
  };
  return { source: expand(text, 0, true), fields, types };
}

/** What follows would be taken for a part of it. */
const UNFINISHED = /\\(?:\d+|x[\da-f]?|u[\da-f]{0,3}|c)$|\{[\d,]*$/i;
const parser = new RegExpParser({ ecmaVersion: 2024 });

/** What begins with `^`, and goes on without a choice, is no group: how patterns begin alike is seen from their elements. */
function isBeginning(source: string): boolean {
  if (!source.startsWith('^') || UNFINISHED.test(source)) return false;
  try {
    return parser.parsePattern(source).alternatives.length === 1;
  } catch {
    return false;
  }
}

/** `[http][method]`, as some grok users write, is `http.method`. */
function fieldOf(field: string): string {
  return field.startsWith('[') ? field.slice(1, -1).replaceAll('][', '.') : field;
}

function typeOf(type: string): FieldType {
  if (type.startsWith('bool')) return 'bool';
  if (type === 'float' || type === 'double') return 'float';
  return type === 'string' || type === 'text' ? 'text' : 'int';
}

function unknownName(whole: string, name: string, definitions: Readonly<Record<string, string>>): string {
  const meant = didYouMean(name, [...Object.keys(GROK_DEFINITIONS), ...Object.keys(definitions)]);
  return `${whole}: no grok definition is named ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
