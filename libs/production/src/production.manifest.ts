import type { Domain } from '@belay/platform';
import { ProductionJobsModule } from './production.jobs.module.js';
import { ProductionModule } from './production.module.js';

export const production = {
  name: 'production',
  title: 'Production',
  after: ['directory'],
  features: [],
  module: ProductionModule,
  jobs: ProductionJobsModule,
  listens: [],
} satisfies Domain;
