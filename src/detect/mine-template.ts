import { SLOTS, tokenise } from './tokenise.ts';
import type { SlotKind, Token } from './tokenise.ts';

/** What most lines have in common, from their beginning: constant text and slots, and a rest where they part. */
export interface Template {
  readonly parts: readonly TemplatePart[];
  /** Lines end in ways of their own: a message. */
  readonly hasRest: boolean;
  /** Lines that took part. */
  readonly lines: number;
}

export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'slot';
      readonly slot: SlotKind;
      readonly field: string;
      /** Some lines have a lone `-` here. */
      readonly orDash: boolean;
      /** What lines have here, at most so many different ones as can be told apart. */
      readonly values: ReadonlyMap<string, number>;
    };

const LINES_MAX = 3000;
const PARTS_MAX = 120;
/** A part belongs to the template if so many of the lines that came so far have it. */
const AGREE = 0.9;
/** All in all so many lines must fit. */
const TAKE_PART = 0.6;
const VALUES_MAX = 200;

export function mineTemplate(lines: readonly string[]): Template {
  const all = lines.slice(0, LINES_MAX).map(tokenise);
  let active = all;
  const steps: Column[] = [];
  for (let at = 0; at < PARTS_MAX; at++) {
    const column = columnAt(active, at);
    if (column === undefined || column.lines.length < Math.max(AGREE * active.length, TAKE_PART * all.length))
      break;
    active = column.lines;
    steps.push(column);
  }
  const hasRest = active.some((tokens) => tokens.length > steps.length);
  if (hasRest) dropWordsOfRest(steps);
  return { parts: toParts(steps), hasRest, lines: active.length };
}

/** One place of the template, and the lines that fit there. */
interface Column {
  readonly kind: Token['kind'];
  readonly orDash: boolean;
  readonly values: ReadonlyMap<string, number>;
  readonly lines: (readonly Token[])[];
}

function columnAt(lines: readonly (readonly Token[])[], at: number): Column | undefined {
  const groups = new Map<string, (readonly Token[])[]>();
  for (const tokens of lines) {
    const token = tokens[at];
    if (token === undefined) continue;
    const shape = isFixed(token) ? `=${token.text}` : token.kind;
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [tokens]);
    else group.push(tokens);
  }
  const dashes = groups.get('dash') ?? [];
  groups.delete('dash');
  const [best = []] = [...groups.values()].toSorted((a, b) => b.length - a.length);
  const first = best[0]?.[at];
  if (first === undefined) return dashes.length === 0 ? undefined : column('dash', false, dashes, at);
  return isFixed(first)
    ? column(first.kind, false, best, at)
    : column(first.kind, dashes.length > 0, dashes.length > 0 ? [...best, ...dashes] : best, at);
}

function isFixed({ kind }: Token): boolean {
  return kind === 'literal' || kind === 'key';
}

function column(kind: Token['kind'], orDash: boolean, lines: (readonly Token[])[], at: number): Column {
  const values = new Map<string, number>();
  for (const tokens of lines) {
    const { text } = tokens[at]!;
    if (values.has(text) || values.size < VALUES_MAX) values.set(text, (values.get(text) ?? 0) + 1);
  }
  return { kind, orDash, values, lines };
}

/** Words before the place where lines part are the beginning of what they say. */
function dropWordsOfRest(steps: Column[]): void {
  const isSpace = (step: Column | undefined): boolean =>
    step?.kind === 'literal' && [...step.values.keys()].every((text) => text.trim() === '');
  while (steps.length > 0) {
    const last = steps.at(-1)!;
    if (last.kind === 'word' && isSpace(steps.at(-2))) steps.pop();
    else if (isSpace(last) && steps.at(-2)?.kind === 'word' && isSpace(steps.at(-3))) steps.pop();
    else return;
  }
}

function toParts(steps: readonly Column[]): TemplatePart[] {
  const parts: TemplatePart[] = [];
  const names = new Set(['message']);
  for (const [at, step] of steps.entries()) {
    const [only] = step.values.keys();
    const constant = step.values.size === 1 && !isVarying(step.kind);
    if (step.kind === 'literal' || step.kind === 'key' || step.kind === 'dash' || constant) {
      const before = parts.at(-1);
      if (before?.kind === 'literal')
        parts[parts.length - 1] = { kind: 'literal', text: before.text + only! };
      else parts.push({ kind: 'literal', text: only! });
      continue;
    }
    const field = unique(fieldName(steps, at, step.kind), names);
    parts.push({ kind: 'slot', slot: step.kind, field, orDash: step.orDash, values: step.values });
  }
  return parts;
}

/** Times and numbers vary even where a sample shows one. */
function isVarying(kind: Token['kind']): boolean {
  return kind !== 'word' && kind !== 'value' && kind !== 'path';
}

const UNITS: ReadonlySet<string> = new Set([
  'ns',
  'us',
  'ms',
  's',
  'kB',
  'KB',
  'MB',
  'GB',
  'KiB',
  'MiB',
  'GiB',
  'bytes',
  'B',
]);

/** From `key=`, from the word before a number and the unit after it, else from the kind. */
function fieldName(steps: readonly Column[], at: number, kind: SlotKind): string {
  const unit = kind === 'number' ? unitAfter(steps, at) : '';
  const key =
    steps[at - 1]?.kind === 'key' ? onlyValue(steps[at - 1]).slice(0, -1) : wordBefore(steps, at, kind);
  const name = safeName(key === '' ? SLOTS[kind].field : key);
  return unit === '' || name.endsWith(`_${unit}`) ? name : `${name}_${unit.toLowerCase()}`;
}

function unitAfter(steps: readonly Column[], at: number): string {
  const next = onlyValue(steps[at + 1]);
  const word = next.trim() === '' ? onlyValue(steps[at + 2]) : next;
  return UNITS.has(word) ? word : '';
}

function wordBefore(steps: readonly Column[], at: number, kind: SlotKind): string {
  if (SLOTS[kind].time !== undefined || kind === 'level') return '';
  let back = at - 1;
  while (back >= 0 && /^[\s:=([]*$/.test(onlyValue(steps[back])) && onlyValue(steps[back]) !== '') back--;
  const step = steps[back];
  return step?.kind === 'word' && step.values.size === 1 ? onlyValue(step) : '';
}

function onlyValue(step: Column | undefined): string {
  return step?.values.size === 1 ? [...step.values.keys()][0]! : '';
}

function safeName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_]+/g, '_').replaceAll(/^_+|_+$/g, '');
  return /^[A-Za-z]/.test(name) ? name : `f_${name}`;
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}_${n}`;
  taken.add(candidate);
  return candidate;
}
