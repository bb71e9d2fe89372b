import type { Room } from '@belay/production';
import type { Rule } from './precedence.rules.js';
import type { WhatIf, WhatIfView } from './preview.contract.js';
import { onLeave, type Comer, type Fate, type Outlook } from './prospect.rules.js';
import type { Resolution } from './resolver.rules.js';
import type { Snapshot } from './snapshot.rules.js';

/** Of each node those that are told one by one. */
const MOST_TOLD = 200;

type NodeEffect = WhatIfView['nodes'][number];

/** The snapshot of a node, with the plan, and without the plan and the person, of the question. */
export function snapshotWith(snapshot: Snapshot, { nodeCode, plan, withoutPlan, leave }: WhatIf): Snapshot {
  const kept = snapshot.rules.filter(({ id }) => id !== withoutPlan);
  const rules = plan && snapshot.node.code === nodeCode ? [...kept, ruleOf(plan, nodeCode)] : kept;
  const now = { ...snapshot, rules };
  return leave ? onLeave(now, leave.operatorId, leave.until === undefined ? null : Date.parse(leave.until)) : now;
}

/** With the limits of the question, in every room where the node's tokens are counted. */
export function comersWith<C extends Comer>(comers: readonly C[], { nodeCode, ...limits }: WhatIf): C[] {
  const { concurrencyLimit, wipLimit } = limits;
  const rooms = new Map<Room, Room>();
  for (const { room } of comers.filter((comer) => comer.nodeCode === nodeCode)) {
    const { concurrency, wip, queue } = room.limits;
    const own = {
      concurrency: concurrencyLimit === undefined ? concurrency : concurrencyLimit,
      wip: wipLimit === undefined ? wip : wipLimit,
      queue,
    };
    if (!rooms.has(room)) rooms.set(room, { ...room, limits: own });
  }
  return comers.map((comer) => ({ ...comer, room: rooms.get(comer.room) ?? comer.room }));
}

export function prospectOf(
  { fates, headcount, sigma }: Outlook<Comer>,
  waits: ReadonlyMap<string, number | null>,
): NodeEffect['before'] {
  const count = (decision: Resolution['decision']) =>
    fates.filter(({ resolution }) => resolution.decision === decision).length;
  const known = fates.flatMap(({ token }) => waits.get(token.id) ?? []).toSorted((one, other) => one - other);
  return {
    assigned: count('ASSIGNED'),
    queued: count('QUEUED'),
    unassigned: count('UNASSIGNED'),
    sigma,
    headcount,
    medianWaitMinutes: known[Math.floor((known.length - 1) / 2)] ?? null,
    longestWaitMinutes: known.at(-1) ?? null,
  };
}

/** Tokens that would come to something else; both outlooks are of the same tokens in the same order. */
export function differences(before: Outlook<Comer>, after: Outlook<Comer>): NodeEffect['changed'] {
  const different = before.fates.flatMap((one, index) => {
    const other = after.fates[index];
    if (!other) return [];
    const [was, becomes] = [fateOf(one), fateOf(other)];
    const same =
      was.decision === becomes.decision &&
      was.operatorId === becomes.operatorId &&
      was.queueReason === becomes.queueReason;
    return same ? [] : [{ tokenId: one.token.id, before: was, after: becomes }];
  });
  return different.slice(0, MOST_TOLD);
}

/** Its id is after all others, so that it comes last among its like, as the newest plan does. */
function ruleOf(
  { mode, assignee, jobTicketId, priority, unavailablePolicy }: NonNullable<WhatIf['plan']>,
  nodeCode: string,
): Rule {
  return {
    id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    mode,
    scope: jobTicketId === undefined ? 'node' : 'job_node',
    tokenId: null,
    jobTicketId: jobTicketId ?? null,
    nodeCode,
    assigneeType: assignee.type,
    assigneeId: assignee.id,
    priority,
    whenAway: unavailablePolicy ?? (mode === 'PIN' ? 'WAIT' : 'NEXT'),
  };
}

function fateOf({ resolution }: Fate<Comer>): NodeEffect['changed'][number]['before'] {
  return {
    decision: resolution.decision,
    operatorId: resolution.decision === 'ASSIGNED' ? resolution.assignee.operatorId : null,
    queueReason: resolution.decision === 'QUEUED' ? resolution.queueReason : null,
  };
}
