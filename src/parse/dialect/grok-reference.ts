import { didYouMean } from '../../model/did-you-mean.ts';
import type { FieldType } from '../../config/pack-schema.ts';
import { GROK_DEFINITIONS } from '../pattern/grok-definitions.ts';
import { complain } from './complaint.ts';
import type { Cursor } from './cursor.ts';
import { ExpressionReader } from './expression-reader.ts';
import type { Note, ReadOptions } from './expression-reader.ts';
import { fieldOf } from './group-opening.ts';
import type { Flags } from './inline-flags.ts';
import type { Node } from './node.ts';

const DEPTH_MAX = 20;

const TYPES: Readonly<Record<string, FieldType>> = {
  int: 'int',
  integer: 'int',
  long: 'int',
  short: 'int',
  byte: 'int',
  float: 'float',
  double: 'float',
  number: 'float',
  string: 'text',
  text: 'text',
  keyword: 'text',
  bool: 'bool',
  boolean: 'bool',
};

/** What other tools write behind a field, and what does that here. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^date|^ts/i, 'times are read by timestamp:'],
  [/^tag$/i, 'labels of metrics are named by labels:'],
  [/^drop$/i, 'a value that nobody wants has no name: %{NAME}'],
  [/^duration$/i, 'durations are read by unit: duration of the metric'],
  [/^measurement$/i, 'metrics are named by metrics:'],
];

/** Reads `%{NAME}`, `%{NAME:field}` and `%{NAME:field:type}`, with the definitions of a pack and the usual ones. */
export class GrokReferences {
  readonly types: Record<string, FieldType> = {};
  readonly notes: Note[] = [];
  readonly #definitions: Readonly<Record<string, string>>;
  readonly #options: ReadOptions;
  #depth = 0;

  constructor(definitions: Readonly<Record<string, string>>, options: ReadOptions) {
    this.#definitions = definitions;
    this.#options = { ...options, reference: (cursor, flags) => this.read(cursor, flags) };
  }

  /** The nodes of the definition, in a group where a name or a quantifier is for all of them. */
  read(cursor: Cursor, flags: Flags): readonly Node[] | undefined {
    const start = cursor.pos;
    const found = cursor.match(/%\{([^}]*)\}?/y);
    if (found === undefined) return undefined;
    const [, name, field, type] = /^([A-Za-z0-9_]+)(?::([^:;]+))?(?:[:;](.*))?$/s.exec(found[1]!) ?? [];
    if (name === undefined || !found[0].endsWith('}') || (field === undefined && type !== undefined))
      return cursor.refuse(start, 'cannot be read; expected %{NAME}, %{NAME:field} or %{NAME:field:int}');
    if (type !== undefined) this.#setType(cursor, start, field!, type);
    const alternatives = this.#definition(cursor, start, name, flags);
    const place = cursor.place(start);
    if (field !== undefined)
      return [
        {
          kind: 'group',
          place,
          alternatives,
          capture: 'named',
          opening: '(',
          field: this.#field(cursor, start, field),
        },
      ];
    if (alternatives.length === 1 && !/[*+?{]/.test(cursor.peek())) return alternatives[0]!;
    return [{ kind: 'group', place, alternatives, capture: 'none', opening: '(?:' }];
  }

  #definition(cursor: Cursor, start: number, name: string, flags: Flags): readonly (readonly Node[])[] {
    const definition = Object.hasOwn(this.#definitions, name)
      ? this.#definitions[name]
      : GROK_DEFINITIONS[name];
    if (
      definition === undefined ||
      (!Object.hasOwn(this.#definitions, name) && !Object.hasOwn(GROK_DEFINITIONS, name))
    )
      return cursor.refuse(start, `is not known${this.#meant(name)}`);
    if (this.#depth === DEPTH_MAX)
      return complain(`grok definitions refer to each other in a circle near %{${name}}`, cursor.definition);
    this.#depth++;
    const reader = new ExpressionReader(definition, flags, this.#options, name);
    const alternatives = reader.read();
    this.notes.push(...reader.notes);
    this.#depth--;
    return alternatives;
  }

  #meant(name: string): string {
    const names = [...Object.keys(GROK_DEFINITIONS), ...Object.keys(this.#definitions)];
    const upper = name.toUpperCase();
    const meant = names.includes(upper) ? upper : didYouMean(upper, names);
    return `: no grok definition is named ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }

  #field(cursor: Cursor, start: number, field: string): string {
    const clean = fieldOf(field);
    if (clean.startsWith('@'))
      cursor.refuse(start, 'has a name that begins with @; those are fields of the line itself');
    return clean;
  }

  #setType(cursor: Cursor, start: number, field: string, type: string): void {
    const known = TYPES[type.toLowerCase()];
    if (known !== undefined && Object.hasOwn(TYPES, type.toLowerCase())) {
      this.types[fieldOf(field)] = known;
      return;
    }
    const hint = ELSEWHERE.find(([form]) => form.test(type))?.[1];
    const meant = hint === undefined ? didYouMean(type, Object.keys(TYPES)) : undefined;
    const at = cursor.text.indexOf(type, start + field.length);
    cursor.refuseText(
      type,
      at,
      `is no type; there are int, float, bool and text${hint === undefined ? '' : `; ${hint}`}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    );
  }
}
