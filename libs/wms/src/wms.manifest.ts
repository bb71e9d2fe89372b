import type { Domain } from '@belay/platform';
import { recovery } from './recovery/recovery.manifest.js';
import { WmsJobsModule } from './wms.jobs.module.js';
import { WmsModule } from './wms.module.js';

export const wms = {
  name: 'wms',
  title: 'Warehouse',
  flag: 'enable_wms_module',
  after: ['directory'],
  features: [
    { flag: 'wms_write', title: 'Changing stock and master data' },
    { flag: 'wms_finance', title: 'Costs, invoices and disputes' },
  ],
  module: WmsModule,
  jobs: WmsJobsModule,
  runbook: recovery,
} satisfies Domain;
