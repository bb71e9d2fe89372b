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
  listens: [
    'assignment.operator-available',
    'assignment.operator-unavailable',
    'assignment.plan-changed',
    'directory.account-deactivated',
    'directory.team-changed',
    'oem.step-changed',
    'oem.ticket-changed',
    'oem.ticket-created',
    'people.changed',
    'people.operator-gone',
    'production.queue-wake',
  ],
} satisfies Domain;
