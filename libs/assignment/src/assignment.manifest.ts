import type { Domain } from '@belay/platform';
import { AssignmentJobsModule } from './assignment.jobs.module.js';
import { AssignmentModule } from './assignment.module.js';
import { recovery } from './recovery/recovery.manifest.js';

export const assignment = {
  name: 'assignment',
  title: 'Assignment',
  flag: 'enable_assignment_runtime',
  keptBy: ['enable_assignment_preview'],
  after: ['directory', 'production'],
  asks: ['people'],
  features: [
    { flag: 'enable_assignment_preview', title: 'Seeing beforehand who would be chosen, and why' },
    { flag: 'enforce_availability', title: 'Overrides and rosters keep people from work' },
    {
      flag: 'assignment_auto_choice',
      title: 'The automatic choice is made; while off it is only logged, and people assign by hand',
      defaultOn: true,
    },
  ],
  module: AssignmentModule,
  jobs: AssignmentJobsModule,
  runbook: recovery,
  listens: ['directory.account-deactivated', 'directory.team-changed', 'people.changed'],
} satisfies Domain;
