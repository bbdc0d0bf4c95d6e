import type { ServerStatus } from '../../src/api/query-api-deps.ts';

/** Of a server that nobody asks for it. */
export const STATUS: ServerStatus = {
  startedAtMs: Date.UTC(2030, 0, 31),
  config: 'state_dir: /x\n',
  loadedAtMs: Date.UTC(2030, 1, 1),
  reloadFailed: false,
  flags: { 'query.timeout': '30s' },
  retention: '15d',
  alertmanagers: ['http://am.example/'],
};
