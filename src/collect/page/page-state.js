/** Writes a page's state into the address without a step in the history and without showing the page anew. */
export function keepState(page, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== '' && one !== false) query.append(name, one);
  }
  const hash = query.size > 0 ? `#/${page}?${query}` : `#/${page}`;
  if (hash !== location.hash) history.replaceState(null, '', hash);
}

/** Calls `work` now and then each `ms`, never twice at a time and not while nobody looks. Returns how to end it. */
export function repeat(work, ms) {
  let running = false;
  const run = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await work();
    } finally {
      running = false;
    }
  };
  void run();
  const timer = setInterval(() => void run(), ms);
  return () => clearInterval(timer);
}

export const RANGES = [
  ['5m', 300],
  ['15m', 900],
  ['1h', 3600],
  ['6h', 21_600],
  ['24h', 86_400],
  ['7d', 604_800],
];

export function rangeSeconds(name) {
  return RANGES.find(([label]) => label === name)?.[1] ?? 3600;
}
