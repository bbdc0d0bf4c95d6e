import type { Labels } from '../model/series.ts';

/**
 * The value of a label, empty where it is not there. Names come from queries, and `constructor` or `__proto__` are
 * names like any other: what objects inherit must not show.
 */
export function labelValue(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? labels[name]! : '';
}

/** Sets a label of an object under construction; an empty value removes it. */
export function setLabel(labels: Record<string, string>, name: string, value: string): void {
  if (value === '') delete labels[name];
  else if (name === '__proto__')
    Object.defineProperty(labels, name, { value, enumerable: true, configurable: true, writable: true });
  else labels[name] = value;
}
