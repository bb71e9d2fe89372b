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
      queuePosition: null,
      estimatedWaitMinutes: null,
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

  describe('of a node with limits', () => {
    /** Of a token that is still where the job begins. */
    const comer = async (room: DecisionRoom) => {
      const [token] = await room.tokens(1, { at: 'START' });
      const before = await marks();
      const seen = await preview(room, token?.id ?? '');
      expect(await marks()).toEqual(before);
      return seen;
    };

    it('queues what comes when enough are at work, says for how long, and still who would have it', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = '', c = '', d = ''] = await room.hands(4);
      for (const [index, minutes] of [10, 25, 40].entries()) await room.works([a, b, c][index] ?? '', minutes);
      await room.limit({ concurrency: 4, wip: 10 });
      expect(await comer(room)).toMatchObject({ decision: 'ASSIGNED', operatorId: d, queuePosition: null });
      await room.limit({ concurrency: 3, wip: 10 });
      await room.tokens(5, { waitingFor: 'CONCURRENCY_LIMIT' });
      expect(await comer(room)).toMatchObject({
        decision: 'QUEUED',
        method: 'AUTO',
        reasonCode: 'LIMIT',
        queueReason: 'CONCURRENCY_LIMIT',
        queuePosition: 6,
        estimatedWaitMinutes: 50,
        operatorId: null,
        trace: { candidates: [{ operatorId: d }, {}, {}, {}] },
      });
      // Others have waited longer for the place that there is now.
      await room.limit({ concurrency: 4, wip: 10 });
      expect(await comer(room)).toMatchObject({ queueReason: 'CONCURRENCY_LIMIT', queuePosition: 6 });
    });

    it('lets the tenth in and not the eleventh', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(1);
      await room.limit({ wip: 10 });
      await room.tokens(9);
      expect(await comer(room)).toMatchObject({ decision: 'ASSIGNED' });
      await room.tokens(1);
      expect(await comer(room)).toMatchObject({ decision: 'QUEUED', queueReason: 'WIP_LIMIT', queuePosition: 1 });
    });

    it('keeps what comes where it is when the queue is full as well', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(1);
      await room.limit({ wip: 1, queue: 2 });
      await room.tokens(1);
      await room.tokens(1, { waitingFor: 'WIP_LIMIT' });
      expect(await comer(room)).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 2 });
      await room.tokens(1, { waitingFor: 'WIP_LIMIT' });
      expect(await comer(room)).toMatchObject({
        decision: 'QUEUED',
        queueReason: 'QUEUE_LIMIT',
        queuePosition: null,
        estimatedWaitMinutes: null,
      });
    });

    it('asks no limit for what was let in, and of those that wait only for whose turn it is not', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(1);
      await room.limit({ wip: 2 });
      const [inside] = await room.tokens(1);
      const [first, second] = await room.tokens(2, { waitingFor: 'WIP_LIMIT' });
      expect(await preview(room, inside?.id ?? '')).toMatchObject({ decision: 'ASSIGNED' });
      expect(await preview(room, first?.id ?? '')).toMatchObject({ decision: 'ASSIGNED' });
      expect(await preview(room, second?.id ?? '')).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 2 });
      await room.limit({ wip: 1 });
      expect(await preview(room, first?.id ?? '')).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 1 });
    });
  });

  describe('of work for which people are missing', () => {
    const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);

    it('says when they are back, and how long the work before takes', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await room.leave(a, new Date('2020-01-01'), inMinutes(600));
      await room.tokens(1, { waitingFor: 'TEAM_UNAVAILABLE' });
      const [token] = await room.tokens(1);
      const { estimatedWaitMinutes, ...seen } = await preview(room, token?.id ?? '');
      expect(seen).toMatchObject({ decision: 'QUEUED', queueReason: 'TEAM_UNAVAILABLE', queuePosition: 2 });
      // Ten hours, and one after the other half an hour each.
      expect([659, 660]).toContain(estimatedWaitMinutes);
    });

    it('says nothing of people who will not be back, and of work that nobody does', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await shop.api.rows(
        `INSERT INTO assignment.operator_override (operator_id, is_available, set_by) VALUES ($1, false, $1)`,
        [a],
      );
      const [token, other] = await room.tokens(2);
      const unknown = { queuePosition: 1, estimatedWaitMinutes: null };
      expect(await preview(room, token?.id ?? '')).toMatchObject({ queueReason: 'TEAM_UNAVAILABLE', ...unknown });
      await shop.api.rows(`UPDATE directory.team SET team_category = 'finishing' WHERE id = $1`, [room.teamId]);
      expect(await preview(room, other?.id ?? '')).toMatchObject({ queueReason: 'NO_MATCH', ...unknown });
    });
  });

  describe('of a change', () => {
    const inquire = async (room: DecisionRoom, change: object) => {
      const { nodes } = await planner.post(
        '/api/assignment/what-if',
        { graphId: room.node.graphId, ...change },
        200,
        whatIfView,
      );
      return nodes;
    };
    const ask = async (room: DecisionRoom, change: object) => {
      const [effect, ...others] = await inquire(room, { nodeCode: 'SEW', ...change });
      if (!effect) throw new Error('There are tokens at the node');
      expect(others).toEqual([]);
      return effect;
    };

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

    it('shows what a leave would do at every node that there is work at', async () => {
      const sewing = { teamCategory: 'sewing' };
      const room = await DecisionRoom.in(shop, {}, {}, sewing);
      const [a = '', b = ''] = await room.hands(2);
      await room.give(await room.tokens(2));
      await room.tokens(2, { at: 'PACK' });
      await room.tokens(1, { at: 'START' });
      const effects = await inquire(room, { leave: { operatorId: a } });
      expect(effects.map(({ nodeCode, tokens }) => [nodeCode, tokens])).toEqual([
        ['SEW', 2],
        ['PACK', 2],
      ]);
      for (const { before, after, changed } of effects) {
        // What somebody gets at one node they have at the other.
        expect(before).toMatchObject({ assigned: 2, headcount: 2, sigma: 0 });
        expect(after).toMatchObject({ assigned: 2, headcount: 1, sigma: 0 });
        expect(changed.map((one) => [one.before.operatorId, one.after.operatorId])).toEqual([[a, b]]);
      }
    });

    it('shows until when work waits for the only one there is', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await room.tokens(2);
      const until = new Date(Date.now() + 600 * 60_000).toISOString();
      const { before, after } = await ask(room, { leave: { operatorId: a, until } });
      expect(before).toMatchObject({ assigned: 2, queued: 0, medianWaitMinutes: null, longestWaitMinutes: null });
      expect(after).toMatchObject({ assigned: 0, queued: 2, headcount: 0 });
      expect([629, 630]).toContain(after.medianWaitMinutes);
      expect([659, 660]).toContain(after.longestWaitMinutes);
      expect((await ask(room, { leave: { operatorId: a } })).after).toMatchObject({
        queued: 2,
        longestWaitMinutes: null,
      });
    });

    it('shows what would be without a plan, wherever it is for', async () => {
      const room = await DecisionRoom.in(shop, {}, {}, { teamCategory: 'sewing' });
      const [a = ''] = await room.hands(2);
      await room.tokens(2);
      await room.tokens(2, { at: 'PACK' });
      const planId = crypto.randomUUID();
      await shop.api.rows(
        `INSERT INTO assignment.assignment_plan_job (id, job_ticket_id, mode, assignee_type, assignee_id, unavailable_policy, created_by)
         VALUES ($1, $2, 'PLAN', 'operator', $3, 'NEXT', $2)`,
        [planId, room.jobId, a],
      );
      const effects = await inquire(room, { withoutPlan: planId });
      expect(effects.map(({ before, after }) => [before.sigma, after.sigma])).toEqual([
        [2, 0],
        [2, 0],
      ]);
    });

    it('shows who would wait for how long under a limit', async () => {
      const room = await DecisionRoom.in(shop);
      await room.hands(2);
      await room.tokens(4);
      const effect = await ask(room, { concurrencyLimit: 1 });
      expect(effect.before).toMatchObject({ assigned: 4, queued: 0, longestWaitMinutes: null });
      // Half an hour for each, one after the other, and nobody has begun.
      expect(effect.after).toMatchObject({ assigned: 1, queued: 3, medianWaitMinutes: 60, longestWaitMinutes: 90 });
      expect((await ask(room, { concurrencyLimit: 4 })).changed).toEqual([]);
    });

    it('shows whom a limit of work in progress would let in, besides what is there already', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(2);
      await room.busy(a, 2);
      await room.tokens(3);
      const { before, after, changed } = await ask(room, { wipLimit: 4 });
      expect(before).toMatchObject({ assigned: 3, queued: 0 });
      expect(after).toMatchObject({ assigned: 2, queued: 1 });
      expect(changed).toMatchObject([{ after: { decision: 'QUEUED', queueReason: 'WIP_LIMIT' } }]);
      expect((await ask(room, { wipLimit: 5 })).changed).toEqual([]);
      // The first limit that is full is the reason; without limits all are let in.
      const both = await ask(room, { wipLimit: 4, concurrencyLimit: 1 });
      expect(both.after).toMatchObject({ assigned: 1, queued: 2 });
      expect(both.changed.map(({ after: becomes }) => becomes.queueReason)).toEqual([
        'CONCURRENCY_LIMIT',
        'CONCURRENCY_LIMIT',
      ]);
      await room.limit({ wip: 2 });
      const freed = await ask(room, { wipLimit: null });
      expect(freed).toMatchObject({ before: { queued: 3 }, after: { queued: 0, assigned: 3 } });
    });

    it('must be one, of a node there is', async () => {
      const room = await DecisionRoom.in(shop);
      const asked = { graphId: room.node.graphId, nodeCode: 'SEW' };
      const whatIf = (change: object) => outcome(planner, 'POST', '/api/assignment/what-if', change);
      expect(await whatIf(asked)).toBe('422 invalid-request');
      expect(await whatIf({ graphId: asked.graphId, wipLimit: 3 })).toBe('422 invalid-request');
      expect(await whatIf({ ...asked, nodeCode: 'NONE', concurrencyLimit: null })).toBe('404 node-not-found');
      expect(await whatIf({ ...asked, graphId: room.jobId, wipLimit: 3 })).toBe('404 node-not-found');
    });
  });
});
