import { statement, type Invariant } from '@belay/platform';

/** How far back entries of the log are compared with what they are about. */
const LOOKED_BACK = 10_000;

const loggedWithoutEffect = statement<{ id: string; tokenId: string }>(
  'assignment.logged_without_effect',
  `SELECT l.id::text AS id, l.token_id AS "tokenId"
   FROM (SELECT id, token_id, node_id FROM assignment.assignment_log
         WHERE event = 'assigned' ORDER BY created_at DESC, id DESC LIMIT ${LOOKED_BACK}) l
   WHERE NOT EXISTS (SELECT FROM production.public_assignment a WHERE a.token_id = l.token_id AND a.node_id = l.node_id)
   LIMIT $1`,
);

const overlappingLeaves = statement<{ operatorId: string; one: string; other: string }>(
  'assignment.overlapping_leaves',
  `SELECT a.operator_id AS "operatorId", a.id AS one, b.id AS other
   FROM assignment.leave_request a
   JOIN assignment.leave_request b
     ON b.operator_id = a.operator_id AND b.id > a.id AND b.status = 'approved' AND b.period && a.period
   WHERE a.status = 'approved' LIMIT $1`,
);

const pinnedTwice = statement<{ tokenId: string; nodeCode: string | null; pins: number }>(
  'assignment.pinned_twice',
  `SELECT token_id AS "tokenId", node_code AS "nodeCode", count(*)::integer AS pins
   FROM assignment.token_pin WHERE active GROUP BY 1, 2 HAVING count(*) > 1 LIMIT $1`,
);

/** What holds at any time, whatever happens. */
export const invariants: readonly Invariant[] = [
  {
    name: 'logged-as-done',
    holds: 'What the log says was assigned was assigned',
    severity: 'critical',
    find: (on, most) => loggedWithoutEffect(on, [most]),
  },
  {
    name: 'leave-overlap',
    holds: 'Nobody is on two leaves at once',
    severity: 'high',
    find: (on, most) => overlappingLeaves(on, [most]),
  },
  {
    name: 'pinned-once',
    holds: 'A token is pinned once at a node',
    severity: 'high',
    find: (on, most) => pinnedTwice(on, [most]),
  },
];
