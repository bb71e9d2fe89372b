import type { NodeAction } from '../graphs/node-type.rules.js';
import type { TokenStatus } from '../lifecycle/token.rules.js';
import type { WorkPermissions } from './work-queue.contract.js';

/** What decides which of the actions an operator is offered. */
export interface OfferFacts {
  readonly status: TokenStatus;
  readonly actions: readonly NodeAction[];
  /** Whether the work is theirs, their team's or nobody's. */
  readonly isTheirs: boolean;
  readonly ownSession: 'active' | 'paused' | null;
  /** Whether somebody else has the work in hand. */
  readonly isElsewhere: boolean;
  readonly mayWork: boolean;
  readonly mayJudge: boolean;
}

/** What the operator can do with a token, as far as a list can tell. */
export function offersOf(facts: OfferFacts): WorkPermissions {
  const { status, actions, isTheirs, ownSession, isElsewhere, mayWork, mayJudge } = facts;
  const can = (action: NodeAction) => mayWork && actions.includes(action);
  const judges = mayJudge && actions.includes('qc') && status !== 'waiting' && (ownSession !== null || isTheirs);
  return {
    canStart: can('start') && status === 'ready' && isTheirs && !isElsewhere,
    canPause: can('pause') && ownSession === 'active',
    canResume: can('resume') && ownSession === 'paused',
    canComplete: can('complete') && ownSession !== null,
    canQcPass: judges,
    canQcFail: judges,
    canAssist: can('start') && isElsewhere && ownSession === null,
    canReplace: can('start') && isElsewhere && ownSession === null,
  };
}
