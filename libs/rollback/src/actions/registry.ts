import type { Action } from '../engine/action.js';
import { flagLift } from './flag.lift.action.js';
import { flagOff } from './flag.off.action.js';
import { verifyFlags } from './verify.flags.action.js';

/** Every kind of step there is, by name. */
export const actions: readonly Action[] = [flagLift, flagOff, verifyFlags];
