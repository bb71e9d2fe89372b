import type { Domain } from '@belay/platform';
import { DirectoryJobsModule } from './directory.jobs.module.js';
import { DirectoryModule } from './directory.module.js';

export const directory = {
  name: 'directory',
  title: 'People, teams and places',
  after: [],
  features: [],
  module: DirectoryModule,
  jobs: DirectoryJobsModule,
  listens: ['people.consent-changed'],
} satisfies Domain;
