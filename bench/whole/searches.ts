/** Of the access log of `workloads.ts`, all of whose lines are of that day. */
const DAY = { from: '2024-05-17T00:00:00Z', to: '2024-05-18T00:00:00Z' };

const SEARCHES = [
  ['the newest hundred', 'records', { limit: '100' }],
  ['how many have a rare text', 'records/count', { text: '00:30:00 +0000] "HEAD' }],
  ['how many have a text that every fifth has', 'records/count', { text: 'curl/8' }],
  ['how many have a value of an attribute', 'records/count', { label: 'status=503' }],
] as const;

/** How long a collector that holds these records takes for each search, a line each. */
export async function timeSearches(collector: string): Promise<string[]> {
  const lines: string[] = [];
  for (const [what, path, query] of SEARCHES) {
    const started = performance.now();
    const response = await fetch(
      `${collector}/api/v1/${path}?${new URLSearchParams({ ...DAY, ...query }).toString()}`,
    );
    const { data } = (await response.json()) as { data: { count?: number; records?: unknown[] } };
    const found = data.count ?? data.records?.length;
    lines.push(`${what}: ${found} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  }
  return lines;
}
