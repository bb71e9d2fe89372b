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

/** Takes back what is parked, with every row; rows written meanwhile get what their columns ask for, and are counted. */
export const migrationUp = defineAction({
  name: 'migration.up',
  version: 1,
  input: schemaMove,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 600,
  retries: whenCutOff,
  emergency: 'never',
  compensated: true,
  inspect: inspectSchema,
  preview: (context, move) => previewMove(context, move, 'up'),
  execute: (context, move) => moveSchema(context, move, 'up'),
  verify: (context, move) => verifyMove(context, move, 'up'),
  compensate: (context, move, { before }) => moveBack(context, move, 'up', before),
  reconcile: (context, move, before) => reconcileMove(context, move, 'up', before),
});
