import { anyValueText, type Attributes } from '../../wire/any-value.ts';

/** In whose name a request speaks: an agent's id, a host's name, or both. */
export interface Speaker {
  readonly agent?: string;
  readonly host?: string;
}

/** Who a resource says it is. */
export function speakerOf(resource: Attributes): Speaker {
  const agent = text(resource, 'taffrail.agent');
  const host = text(resource, 'host.name');
  return { ...(agent === '' ? {} : { agent }), ...(host === '' ? {} : { host }) };
}

function text(resource: Attributes, name: string): string {
  return resource[name] === undefined ? '' : anyValueText(resource[name]).slice(0, 1000);
}

/** Each once. */
export class SpeakerSet {
  readonly #speakers = new Map<string, Speaker>();

  add(speaker: Speaker): void {
    this.#speakers.set(`${speaker.agent ?? ''} ${speaker.host ?? ''}`, speaker);
  }

  list(): readonly Speaker[] {
    return [...this.#speakers.values()];
  }
}
