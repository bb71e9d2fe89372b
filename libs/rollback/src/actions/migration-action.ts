import type { Action } from '../engine/action.js';
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
  type Direction,
} from './schema-move.service.js';

/** Moves migrations of a domain in one direction; each of the two takes the other back. */
export function migrationAction(direction: Direction, timeoutS: number): Action {
  return defineAction({
    name: `migration.${direction}`,
    version: 1,
    input: schemaMove,
    critical: true,
    destructive: true,
    effect: true,
    timeoutS,
    retries: whenCutOff,
    emergency: 'never',
    compensated: true,
    inspect: inspectSchema,
    preview: (context, move) => previewMove(context, move, direction),
    execute: (context, move) => moveSchema(context, move, direction),
    verify: (context, move) => verifyMove(context, move, direction),
    compensate: (context, move, { before }) => moveBack(context, move, direction, before),
    reconcile: (context, move, before) => reconcileMove(context, move, direction, before),
  });
}
