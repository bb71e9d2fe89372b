import type { Action } from '../engine/action.js';
import { backupCreate } from '../backups/backup.create.action.js';
import { backupVerify } from '../backups/backup.verify.action.js';
import { flagLift } from './flag.lift.action.js';
import { flagOff } from './flag.off.action.js';
import { migrationDown } from './migration.down.action.js';
import { migrationUp } from './migration.up.action.js';
import { stepUndo } from '../plans/step.undo.action.js';
import { databaseRestore } from '../restores/database.restore.action.js';
import { domainRestore } from '../restores/domain.restore.action.js';
import { rowsRestore } from '../restores/rows.restore.action.js';
import { jobsStart } from './jobs.start.action.js';
import { jobsStop } from './jobs.stop.action.js';
import { manualCommand } from './manual.command.action.js';
import { markerCreate } from './marker.create.action.js';
import { purge } from './purge.action.js';
import { unleashSync } from './unleash.sync.action.js';
import { verifyAll } from './verify.all.action.js';
import { verifyDomain } from './verify.domain.action.js';
import { verifyFlags } from './verify.flags.action.js';

/** Every kind of step that does something of its own. */
const own: readonly Action[] = [
  backupCreate,
  backupVerify,
  databaseRestore,
  domainRestore,
  flagLift,
  flagOff,
  migrationDown,
  migrationUp,
  rowsRestore,
  jobsStart,
  jobsStop,
  manualCommand,
  markerCreate,
  purge,
  unleashSync,
  verifyAll,
  verifyDomain,
  verifyFlags,
];

/** Every kind of step there is, by name. */
export const actions: readonly Action[] = [...own, stepUndo(own)];
