import type { QcPolicy } from '../graphs/graph.rules.js';
import type { PublishedEdge } from '../graphs/published-version.rules.js';
import type { EdgeChoice } from '../graphs/routing.rules.js';
import type { HoldCode } from './token.rules.js';

const usualLimit = 3;

export const usualQc: QcPolicy = {
  reworkLimit: null,
  allowScrap: false,
  requireReworkEdge: false,
  selfQcAllowed: true,
  qcAssignmentRequired: false,
};

/** What becomes of a piece that failed. */
export type Failure =
  | { readonly act: 'scrap'; readonly because: 'max_rework' | 'material_defect' }
  | { readonly act: 'recut' }
  | { readonly act: 'send-back' }
  | { readonly act: 'follow'; readonly edge: PublishedEdge }
  | { readonly act: 'hold'; readonly holdCode: HoldCode };

interface Failed {
  readonly reworkCount: number;
  readonly reworkLimit: number | null;
}

interface Chosen {
  readonly mode: 'same_piece' | 'recut';
  /** Whether somebody has said where it goes. */
  readonly hasTarget: boolean;
}

/** The one order in which a failure is dealt with: its limit, a new piece, what a person chose, then the graph. */
export function failureOf(policy: QcPolicy, token: Failed, chosen: Chosen, way: EdgeChoice): Failure {
  const limit = policy.reworkLimit ?? token.reworkLimit ?? usualLimit;
  const orHeld = (because: 'max_rework' | 'material_defect'): Failure =>
    policy.allowScrap ? { act: 'scrap', because } : { act: 'hold', holdCode: 'SUPERVISOR' };
  if (token.reworkCount >= limit) return orHeld('max_rework');
  if (chosen.mode === 'recut') return { act: 'recut' };
  if (chosen.hasTarget) return { act: 'send-back' };
  if (way.edge) return { act: 'follow', edge: way.edge };
  if (way.hold === 'AMBIGUOUS_ROUTE') return { act: 'hold', holdCode: 'AMBIGUOUS_ROUTE' };
  return policy.requireReworkEdge ? { act: 'hold', holdCode: 'NO_ROUTE' } : orHeld('material_defect');
}
