import { migrationAction } from './migration-action.js';

/** Parks what the migrations of a domain made: renames, so that nothing is lost and size does not matter. */
export const migrationDown = migrationAction('down', 120);
