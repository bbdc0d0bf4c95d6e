import type { Pack } from '../config/pack-schema.ts';
import { usedFields } from '../parse/known-fields.ts';
import type { ObservedEvent } from '../parse/observed-event.ts';
import { namedValues } from './named-values.ts';
import { packLayers } from './pack-layers.ts';
import type { PackLayer } from './pack-layers.ts';
import { patternEvidence } from './pattern-evidence.ts';

/** What a line tells by being of a format at all. */
const FORMAT_BITS: Readonly<Record<string, number>> = {
  json: 20,
  logfmt: 6,
  keyvalue: 3,
  csv: 3,
  tsv: 3,
  w3c: 60,
  cri: 130,
  syslog: 60,
  raw: 0,
};
const TIMED_BITS = 6;
const LETTER_BITS = 5;
/** A key or a value tells no more than so many letters. */
const LETTERS_MAX = 12;
const EVENT_BITS_MAX = 800;

/** A time and a word before the text are most logs: syslog has a program or a priority as well. */
function formatBits(format: string, { fields }: ObservedEvent): number {
  if (format === 'syslog' && fields['program'] === undefined && fields['facility'] === undefined)
    return TIMED_BITS;
  return FORMAT_BITS[format] ?? 0;
}

/** How much each event tells for a pack: patterns by what they ask, open formats by the keys and values that the pack names. */
export class LineEvidence {
  readonly #layers: readonly PackLayer[];
  /** Fields that the pack speaks of and that lines of an open format may have. */
  readonly #named: readonly string[];
  readonly #values: ReadonlyMap<string, ReadonlySet<string>>;
  /** By event, in order. */
  readonly bits: number[] = [];
  readonly #seen = new Set<string>();
  /** Some event was read by an open format: a pack may have such a format for some of its lines only. */
  #opened = false;

  constructor(pack: Pack) {
    this.#layers = packLayers(pack);
    this.#values = namedValues(pack);
    const isOpen = this.#layers.some((layer) => layer.isOpen);
    const used = new Set([...usedFields(pack)].map(({ field }) => field));
    for (const { field } of this.#layers) if (field !== '') used.add(field);
    this.#named = isOpen ? [...used].filter((field) => !field.startsWith('@')) : [];
  }

  /** The fields that it looks at. */
  get fields(): readonly string[] {
    return [...this.#named, ...this.#values.keys()];
  }

  reset(): void {
    this.bits.length = 0;
    this.#opened = false;
    this.#seen.clear();
  }

  /** The event as the pack reads it without its steps. */
  add(event: ObservedEvent): void {
    this.bits.push(event.outcome === 'unmatched' ? 0 : Math.min(EVENT_BITS_MAX, this.#weigh(event)));
  }

  /** How many of the fields that the pack names were seen, in lines or after its steps; 1 where it need not name any. */
  completeness(afterSteps: ReadonlySet<string>): number {
    if (this.#named.length === 0 || !this.#opened) return 1;
    const found = this.#named.filter((field) => this.#seen.has(field) || afterSteps.has(field));
    return found.length / this.#named.length;
  }

  #weigh(event: ObservedEvent): number {
    if (event.filteredBy === 'header') return this.#headerBits();
    let bits = 0;
    for (const layer of this.#layers) {
      const text = layer.field === '' ? event.text : event.fields[layer.field];
      if (text === undefined) break;
      if (layer.isOpen) this.#opened = true;
      bits += layer.format === undefined ? matchBits(layer, String(text)) : formatBits(layer.format, event);
    }
    for (const field of this.#named) {
      if (event.fields[field] === undefined) continue;
      this.#seen.add(field);
      bits += letterBits(field);
    }
    for (const [field, values] of this.#values) {
      const value = event.fields[field];
      if (value !== undefined && values.has(String(value))) bits += letterBits(String(value));
    }
    return bits;
  }

  #headerBits(): number {
    return FORMAT_BITS[this.#layers[0]?.format ?? 'raw'] ?? 0;
  }
}

function letterBits(text: string): number {
  return Math.min(text.length, LETTERS_MAX) * LETTER_BITS;
}

function matchBits(layer: PackLayer, text: string): number {
  for (const matcher of layer.matchers) {
    const match = matcher.match(text);
    if (match !== null) return patternEvidence(matcher.pattern, match);
  }
  return 0;
}
