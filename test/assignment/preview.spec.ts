import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decisionView, plansPreview, whatIfView } from '@belay/assignment';
import type { TestApi } from '../support/test-api.js';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { Workshop } from '../production/workshop.js';
import { DecisionRoom, openWorkshop } from './decision-room.js';

/** Of everything that a preview could leave behind. */
const traces = [
  'production.token_assignment',
  'assignment.assignment_log',
  'assignment.round_robin',
  'platform.outbox',
  'platform.audit_log',
];

describe('a preview', () => {
  let shop: Workshop;
  let planner: TestApi;
  beforeAll(async () => {
    shop = await openWorkshop();
    planner = await shop.api.as('supervisor');
  });
  afterAll(() => shop.close());

  const marks = async () => {
    const counts = await Promise.all(
      traces.map((table) => shop.api.rows(`SELECT count(*)::integer AS n FROM ${table}`)),
    );
    return counts.flat();
  };
  const preview = (room: DecisionRoom, tokenId: string) =>
    planner.get(`/api/assignment/preview?tokenId=${tokenId}&nodeId=${room.node.id}`, 200, decisionView);

  it('says who would get a token and why, and leaves nothing behind', async () => {
    const room = await DecisionRoom.in(shop);
    const [a = '', b = '', c = ''] = await room.hands(3);
    await room.busy(a, 2);
    await room.busy(b, 1);
    await room.leave(c, new Date('2020-01-01'), new Date('2100-01-01'));
    const [token] = await room.tokens(1);
    const before = await marks();
    expect(await preview(room, token?.id ?? '')).toMatchObject({
      decision: 'ASSIGNED',
      method: 'AUTO',
      tier: 'auto',
      assignedToType: 'team',
      assignedToId: room.teamId,
      operatorId: b,
      reasonCode: 'AUTO_LEAST_LOAD',
      reasonText: 'sewing; 1 open, lowest of 2',
      queued: false,
      alternatives: [{ operatorId: a, activeCount: 2, reason: 'AUTO_LEAST_LOAD' }],
      trace: {
        dropped: [{ operatorId: c, because: 'away', detail: 'leave' }],
        steps: [{ tier: 'auto', outcome: 'chosen' }],
      },
    });
    expect(await marks()).toEqual(before);
  });

  it('waits for nobody who is choosing at the same time', async () => {
    const room = await DecisionRoom.in(shop);
    await room.hands(1);
    const [token, another] = await room.tokens(2);
    await room.inTransaction(async (tx) => {
      const question = {
        node: room.node,
        cause: 'spawn',
        limit: null,
        exclude: new Map(),
        flags: {},
        at: new Date(),
      } as const;
      await room.policy.decide(tx, { ...question, tokens: another ? [another] : [] });
      expect(await preview(room, token?.id ?? '')).toMatchObject({ decision: 'ASSIGNED' });
    });
  });

  it('does not propose who has rejected the token where it is', async () => {
    const room = await DecisionRoom.in(shop);
    const [a = ''] = await room.hands(1);
    const [token] = await room.tokens(1);
    await shop.api.rows(
      `WITH v AS (
         INSERT INTO production.token_node_visit (id, token_id, node_id, visit_no, entered_at)
         VALUES (gen_random_uuid(), $1, $2, 1, now()))
       INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, operator_id, method, status, assigned_at,
                                                status_changed_at, cancel_reason)
       VALUES (gen_random_uuid(), $1, $2, 'operator', $3, 'AUTO', 'rejected', now(), now(), 'no')`,
      [token?.id, room.node.id, a],
    );
    expect(await preview(room, token?.id ?? '')).toMatchObject({ decision: 'UNASSIGNED', reasonCode: 'NO_MATCH' });
  });

  it('skips a node where nobody works, and knows only nodes of the version', async () => {
    const room = await DecisionRoom.in(shop);
    const other = await DecisionRoom.in(shop);
    const [token] = await room.tokens(1);
    const [start] = await shop.api.rows<{ id: string }>(
      `SELECT id FROM production.routing_node WHERE graph_version_id = $1 AND node_type = 'start'`,
      [room.node.versionId],
    );
    const at = (nodeId: string) => `/api/assignment/preview?tokenId=${token?.id ?? ''}&nodeId=${nodeId}`;
    expect(await planner.get(at(start?.id ?? ''), 200, decisionView)).toMatchObject({
      decision: 'SKIPPED',
      method: 'SKIP',
    });
    expect(await outcome(planner, 'GET', at(other.node.id))).toBe('404 node-not-found');
    const elsewhere = await newHolder(shop.api, shop.admin, 'supervisor', (await newSite(shop.admin)).id);
    expect(await outcome(elsewhere, 'GET', at(room.node.id))).toBe('404 token-not-found');
  });

  it('of a job spreads its tokens over the people of each node', async () => {
    const room = await DecisionRoom.in(shop);
    const [a = '', b = ''] = await room.hands(2);
    const before = await marks();
    const { nodes } = await planner.post(
      '/api/assignment/plans/preview',
      { jobTicketId: room.jobId },
      200,
      plansPreview,
    );
    expect(nodes.map(({ nodeCode }) => nodeCode)).toEqual(['SEW', 'PACK']);
    const shares = nodes[0]?.shares.map(({ operatorId, tokens }) => [operatorId, tokens]);
    expect(new Map(shares?.map(([id, n]) => [id, n]))).toEqual(
      new Map([
        [a, 50],
        [b, 50],
      ]),
    );
    expect(nodes[1]?.shares).toEqual([
      expect.objectContaining({ decision: 'QUEUED', queueReason: 'NO_MATCH', tokens: 100 }),
    ]);
    expect(await marks()).toEqual(before);
  });

  describe('of a change', () => {
    const ask = (room: DecisionRoom, change: object) =>
      planner.post(
        '/api/assignment/what-if',
        { graphId: room.node.graphId, nodeCode: 'SEW', ...change },
        200,
        whatIfView,
      );

    it('shows what a leave would do', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = ''] = await room.hands(2);
      await room.give(await room.tokens(4));
      const before = await marks();
      const effect = await ask(room, { leave: { operatorId: a } });
      expect(effect).toMatchObject({
        tokens: 4,
        before: { assigned: 4, headcount: 2 },
        after: { assigned: 4, headcount: 1 },
      });
      expect(effect.changed.map(({ before: was, after }) => [was.operatorId, after.operatorId])).toEqual([
        [a, b],
        [a, b],
      ]);
      const none = await ask(room, { leave: { operatorId: b }, plan: { assignee: { type: 'operator', id: a } } });
      expect(none.after).toMatchObject({ assigned: 4 });
      expect(await marks()).toEqual(before);
    });

    it('shows what a plan would do, also for somebody who is not there yet', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(2);
      const second = await room.team({ category: 'finishing' });
      const [c = ''] = await room.hands(1, { team: second });
      await room.tokens(3);
      const { after } = await ask(room, { plan: { assignee: { type: 'team', id: second } } });
      expect(after).toMatchObject({ assigned: 3 });
      const { changed } = await ask(room, { plan: { mode: 'PIN', assignee: { type: 'operator', id: c } } });
      expect(changed.map(({ after: becomes }) => becomes.operatorId)).toEqual([c, c, c]);
    });

    it('shows who would wait for how long under a limit', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(2);
      await room.tokens(4);
      const effect = await ask(room, { concurrencyLimit: 1 });
      expect(effect.before).toMatchObject({ assigned: 4, queued: 0, longestWaitMinutes: null });
      // Half an hour for each, one after the other, and nobody has begun.
      expect(effect.after).toMatchObject({ assigned: 1, queued: 3, medianWaitMinutes: 60, longestWaitMinutes: 90 });
    });

    it('must be one, of a node there is', async () => {
      const room = await DecisionRoom.in(shop);
      const asked = { graphId: room.node.graphId, nodeCode: 'SEW' };
      expect(await outcome(planner, 'POST', '/api/assignment/what-if', asked)).toBe('422 invalid-request');
      const nowhere = { ...asked, nodeCode: 'NONE', concurrencyLimit: null };
      expect(await outcome(planner, 'POST', '/api/assignment/what-if', nowhere)).toBe('404 node-not-found');
    });
  });
});
