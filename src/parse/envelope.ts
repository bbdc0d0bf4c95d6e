import type { Pack } from '../config/pack-schema.ts';
import { CRI_LINE } from './format/cri-parser.ts';

/** What a container runtime wrapped a line of output in. */
export interface Enveloped {
  /** Lines of one stream follow each other; those of others may stand between them. */
  readonly stream: string;
  readonly text: string;
  /** Undefined where it does not say. */
  readonly timeMs: number | undefined;
}

export interface Envelope {
  /** Undefined where the line is not wrapped as it should be. */
  open(line: string): Enveloped | undefined;
  /** The line with other text in it. */
  refill(line: string, text: string): string;
}

/** For packs whose multiline rules look at a field of the line; undefined where they look at the line itself. */
export function envelopeOf({ format, multiline }: Pack): Envelope | undefined {
  if (multiline === undefined) return undefined;
  if (format === 'cri') return criEnvelope;
  return format === 'json' && multiline.field !== undefined ? jsonEnvelope(multiline.field) : undefined;
}

const criEnvelope: Envelope = {
  open(line) {
    const match = CRI_LINE.exec(line);
    if (match === null) return undefined;
    return { stream: match[2]!, text: line.slice(match[0].length), timeMs: timeOf(match[1]) };
  },
  refill: (line, text) => `${CRI_LINE.exec(line)![0]}${text}`,
};

function jsonEnvelope(field: string): Envelope {
  return {
    open(line) {
      const object = parseObject(line);
      const text = object?.[field];
      if (object === undefined || typeof text !== 'string') return undefined;
      const stream = typeof object['stream'] === 'string' ? object['stream'] : '';
      const end = text.endsWith('\n') ? (text.endsWith('\r\n') ? -2 : -1) : undefined;
      return { stream, text: text.slice(0, end), timeMs: timeOf(object['time']) };
    },
    refill: (line, text) => JSON.stringify({ ...parseObject(line), [field]: text }),
  };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
