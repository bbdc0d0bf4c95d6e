import { RANGES } from './page-state.js';

/**
 * The address of the view that a link of Prometheus's form means, such as `/graph?g0.expr=up&g0.range_input=1h`, relative
 * to the page's folder; undefined where the address is none.
 */
export function addressOfLink(path, search) {
  if (!/\/(?:graph|query)$/.test(path)) return undefined;
  const given = new URLSearchParams(search);
  const state = new URLSearchParams();
  const expression = given.get('g0.expr') ?? '';
  if (expression !== '') state.set('expr', expression);
  const range = given.get('g0.range_input') ?? '';
  if (RANGES.some(([name]) => name === range)) state.set('range', range);
  return state.size > 0 ? `./#/metrics?${state}` : './#/metrics';
}
