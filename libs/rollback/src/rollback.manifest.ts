import type { Domain } from '@belay/platform';
import { whileAlone } from './engine/alone.js';
import { RollbackControlModule } from './rollback-control.module.js';
import { RollbackModule } from './rollback.module.js';

export const rollback = {
  name: 'rollback',
  title: 'Rollback',
  flag: 'enable_rollback',
  defaultOn: true,
  survivesEmergency: true,
  auditsDenials: true,
  after: [],
  features: [
    { flag: 'rollback_contracts', title: 'Taking contracts back' },
    { flag: 'rollback_frontend', title: 'Taking the frontend back' },
    { flag: 'rollback_config', title: 'Taking configuration back' },
  ],
  module: RollbackModule,
  control: RollbackControlModule,
  commands: async (host) => (await import('./cli/commands.js')).commandsFor(host),
  whileAlone,
} satisfies Domain;
