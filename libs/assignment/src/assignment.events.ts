/** Facts that assignment announces, and only while its runtime is on. They carry ids; bodies only ever gain fields. */
export interface OperatorUnavailable {
  name: 'assignment.operator-unavailable';
  /** `until` is null when nobody knows. `reason`: leave, override, sick, off or inactive. */
  body: { operatorId: string; from: string; until: string | null; reason: string };
}

export interface OperatorAvailable {
  name: 'assignment.operator-available';
  body: { operatorId: string };
}

/** A plan or a pin came, went or was changed, or the runtime has just begun (`unassigned`: whatever nobody has yet). */
export interface PlanChanged {
  name: 'assignment.plan-changed';
  body: {
    scope: PlanScope | 'unassigned';
    /** Those that the scope is about; none when it is `unassigned`. */
    ids: { tokenId?: string; jobTicketId?: string; graphId?: string; nodeCode?: string };
    /** Whether assignments that nobody has begun are to be decided anew; otherwise only what has none. */
    applyToRunning: boolean;
  };
}

type PlanScope = 'token' | 'job-node' | 'node' | 'job';
