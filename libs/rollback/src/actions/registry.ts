import type { Action } from '../engine/action.js';
import { backupCreate } from '../backups/backup.create.action.js';
import { backupVerify } from '../backups/backup.verify.action.js';
import { flagLift } from './flag.lift.action.js';
import { flagOff } from './flag.off.action.js';
import { migrationDown } from './migration.down.action.js';
import { migrationUp } from './migration.up.action.js';
import { domainRestore } from '../restores/domain.restore.action.js';
import { rowsRestore } from '../restores/rows.restore.action.js';
import { verifyFlags } from './verify.flags.action.js';

/** Every kind of step there is, by name. */
export const actions: readonly Action[] = [
  backupCreate,
  backupVerify,
  domainRestore,
  flagLift,
  flagOff,
  migrationDown,
  migrationUp,
  rowsRestore,
  verifyFlags,
];
