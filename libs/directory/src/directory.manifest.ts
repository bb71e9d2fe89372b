import type { Domain } from '@belay/platform';
import { DirectoryModule } from './directory.module.js';

export const directory = {
  name: 'directory',
  title: 'People, teams and places',
  after: [],
  features: [],
  module: DirectoryModule,
} satisfies Domain;
