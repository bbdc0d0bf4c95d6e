import { join } from 'node:path';
import { SqliteStore } from '../../../src/collect/store/sqlite-store.ts';
import { describeStore } from './store-suite.ts';

describeStore('a store in one SQLite file', (folder, limits) =>
  SqliteStore.open({
    path: join(folder, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    ...limits,
  }),
);
