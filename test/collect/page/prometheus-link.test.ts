import { expect, test } from 'vitest';

const MODULE = new URL('../../../src/collect/page/prometheus-link.js', import.meta.url).href;
const { addressOfLink } = (await import(MODULE)) as {
  readonly addressOfLink: (path: string, search: string) => string | undefined;
};

test.each([
  ['/graph', '?g0.expr=up+%3D%3D+0&g0.tab=1', './#/metrics?expr=up+%3D%3D+0'],
  ['/query', '?g0.expr=a%26b&g0.range_input=1h', './#/metrics?expr=a%26b&range=1h'],
  ['/prefix/graph', '?g0.expr=up&g0.range_input=17h', './#/metrics?expr=up'],
  ['/graph', '', './#/metrics'],
  ['/', '?g0.expr=up', undefined],
  ['/graph.js', '', undefined],
])('%s%s leads to %s', (path, search, address) => {
  expect(addressOfLink(path, search)).toBe(address);
});
