import { defineAction } from '../engine/actions.js';
import {
  inspectSchema,
  moveBack,
  moveSchema,
  previewMove,
  reconcileMove,
  schemaMove,
  verifyMove,
  whenCutOff,
} from './schema-move.service.js';

/** Parks what the migrations of a domain made: renames, so that nothing is lost and size does not matter. */
export const migrationDown = defineAction({
  name: 'migration.down',
  version: 1,
  input: schemaMove,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 120,
  retries: whenCutOff,
  emergency: 'never',
  compensated: true,
  inspect: inspectSchema,
  preview: (context, move) => previewMove(context, move, 'down'),
  execute: (context, move) => moveSchema(context, move, 'down'),
  verify: (context, move) => verifyMove(context, move, 'down'),
  compensate: (context, move, { before }) => moveBack(context, move, 'down', before),
  reconcile: (context, move, before) => reconcileMove(context, move, 'down', before),
});
