import { join } from 'node:path';
import { LocalStore } from '../../../src/collect/store/local-store.ts';
import { queryWorker } from '../fixture.ts';
import { describeStore } from './store-suite.ts';

describeStore('a store on the disk of one machine', (folder, limits) =>
  LocalStore.open({
    path: join(folder, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    queryWorker,
    ...limits,
  }),
);
