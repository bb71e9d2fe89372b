/** Facts that production announces. They carry ids and what a stranger needs; bodies only ever gain fields. */

import type { EventType } from './lifecycle/token.rules.js';

/** One for every entry in a token's history. */
export interface TokenEvent {
  name: 'production.token-event';
  body: {
    type: EventType;
    tokenId: string;
    jobTicketId: string;
    graphId: string;
    nodeCode: string | null;
    qty: number;
    at: string;
  };
}

/** `change` is what was done; `execution` became `tokens` with `handed-over`. */
export interface JobChanged {
  name: 'production.job-changed';
  body: {
    jobTicketId: string;
    siteId: string;
    change: 'started' | 'paused' | 'resumed' | 'cancelled' | 'restarted' | 'completed' | 'handed-over';
    status: 'planned' | 'in_progress' | 'completed' | 'cancelled';
    execution: 'tokens' | 'stations';
  };
}

export interface AssignmentChanged {
  name: 'production.assignment-changed';
  body: {
    assignmentId: string;
    tokenId: string;
    nodeId: string;
    teamId: string | null;
    operatorId: string | null;
    method: 'PIN' | 'PLAN' | 'AUTO' | 'MANUAL' | 'REASSIGN';
    status: 'assigned' | 'accepted' | 'started' | 'paused' | 'completed' | 'rejected' | 'cancelled';
  };
}

export interface GraphPublished {
  name: 'production.graph-published';
  body: { graphId: string; graphVersionId: string; code: string; version: number };
}

/** Somebody may be let in there: a work centre, or a node of a graph whatever its version. */
export interface QueueWake {
  name: 'production.queue-wake';
  body: { scope: string };
}
