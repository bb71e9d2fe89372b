import { migrationAction } from './migration-action.js';

/** Takes back what is parked, with every row; rows written meanwhile get what their columns ask for, and are counted. */
export const migrationUp = migrationAction('up', 600);
