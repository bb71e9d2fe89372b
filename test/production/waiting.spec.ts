import {
  assignedTokens,
  findingList,
  production,
  workCenterView,
  workQueue,
  workView,
  type WorkItem,
} from '@belay/production';
import { Caller, METRICS, type Metrics } from '@belay/platform';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AssignmentPolicies } from '../../libs/production/src/work/assignment-policies.service.js';
import { Absence } from '../../libs/production/src/work/absence.service.js';
import { HealthService } from '../../libs/production/src/work/health.service.js';
import { invariants, nightly, upkeep } from '../../libs/production/src/work/health-check.queries.js';
import { RoomService } from '../../libs/production/src/work/room.service.js';
import { WakeUp } from '../../libs/production/src/work/wake-up.service.js';
import { fresh, outcome } from '../support/people.js';
import { breaches } from './floor-invariants.js';
import { nobody, queued, toOperator, WorkPolicy } from './work-policy.js';
import { operation, Workshop, type TokenFacts, type Worker } from './workshop.js';

const system = Caller.system('waiting');
const nothing = () => undefined;
const noon = new Date('2025-11-17T12:00:00Z');
const later = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

describe('waiting', () => {
  let shop: Workshop;
  let ada: Worker;
  let ben: Worker;
  let boss: Worker;
  let policy: WorkPolicy;
  let leave: () => void;
  const jobs: string[] = [];

  beforeAll(async () => {
    shop = await Workshop.open();
    [ada, ben] = await Promise.all([shop.worker(), shop.worker()]);
    boss = await shop.worker({ role: 'supervisor' });
  });
  afterAll(() => shop.close());
  beforeEach(() => {
    policy = new WorkPolicy();
    leave = shop.api.app.get(AssignmentPolicies, { strict: false }).use(policy);
    policy.isOn = false;
  });
  afterEach(async () => {
    leave();
    shop.now = null;
    expect(await breaches(shop.api, jobs)).toEqual([]);
  });

  const limitCut = (graphId: string, version: number, wipLimit: number | null) =>
    outcome(
      shop.admin,
      'PUT',
      `/api/production/limits/${graphId}/CUT`,
      { wipLimit, concurrencyLimit: null, queueLimit: null },
      { 'if-match': `"${version}"` },
    );
  const run = async (graph: { readonly graphId: string }, count: number, details: object = {}) => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: count, ...details });
    jobs.push(ticket.id);
    await shop.start(ticket);
    return { ticket, tokens: await shop.tokens(ticket) };
  };
  const post = (worker: Worker, path: string, body: object = {}) =>
    outcome(shop.keyed(worker.api), 'POST', `/api/production/${path}`, body);
  const start = (worker: Worker, { id }: TokenFacts) =>
    shop.keyed(worker.api).post(`/api/production/tokens/${id}/start`, {}, 200, workView);
  const item = async (worker: Worker, { id }: TokenFacts): Promise<WorkItem | undefined> =>
    (await worker.api.get('/api/production/work-queue?limit=200', 200, workQueue)).items.find(
      ({ tokenId }) => tokenId === id,
    );
  const wakeUp = async () => {
    const service = shop.api.app.get(WakeUp, { strict: false });
    let woken = 0;
    for (const scope of await service.scopes()) woken += await service.admit(system, scope);
    await shop.api.app.get(RoomService, { strict: false }).fill(system, null, nothing);
    return woken;
  };
  /** The order of those who came at once. */
  const byId = (tokens: readonly TokenFacts[]) => tokens.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const waits = (tokens: readonly TokenFacts[]) => tokens.filter(({ status }) => status === 'waiting');
  const askJob = ({ id }: { readonly id: string }, what: string, body: object = {}) =>
    shop.keyed().post(`/api/production/job-tickets/${id}/${what}`, body, 200);
  const reasons = async (ticket: { readonly id: string }) =>
    (await shop.tokens(ticket)).map(({ queueReason }) => queueReason);
  /** Everybody who works now stops. */
  const clear = async () => {
    await shop.keyed().post(`/api/production/job-tickets/${jobs.at(-1)}/cancel`, { reason: 'over' }, 200);
  };

  describe('for a place', () => {
    it('three of three work and five wait: whoever comes is sixth', async () => {
      const graph = await shop.linear(
        operation('CUT', { concurrencyLimit: 3, wipLimit: 10, estimatedMinutes: 30 }),
        'SEW',
      );
      shop.now = noon;
      const first = await run(graph, 3);
      const workers = await shop.workers(3);
      await Promise.all(first.tokens.map((token, n) => start(workers[n] ?? ada, token)));
      const { tokens } = await run(graph, 6);
      expect(tokens.map(({ queueReason }) => queueReason)).toEqual(tokens.map(() => 'CONCURRENCY_LIMIT'));
      const last = byId(tokens).at(-1);
      if (!last) throw new Error('There are six tokens');
      shop.now = later(10);
      // Each of the three has twenty minutes left, and three more are done before the sixth has its turn.
      expect(await item(ada, last)).toMatchObject({ queuePosition: 6, estimatedWaitMinutes: 50 });
      const [promised] = await shop.api.rows<{ minutes: number }>(
        `SELECT estimated_wait_minutes AS minutes FROM production.token_node_visit WHERE token_id = $1 AND left_at IS NULL`,
        [last.id],
      );
      expect(promised).toEqual({ minutes: 60 });
    });

    it('the tenth comes in and the eleventh waits; who has no room in the queue stays where they were', async () => {
      const graph = await shop.linear('CUT', operation('SEW', { wipLimit: 1, queueLimit: 1 }));
      const { ticket, tokens } = await run(graph, 3);
      for (const token of tokens) {
        await start(ada, token);
        await shop.keyed(ada.api).post(`/api/production/tokens/${token.id}/complete`, {}, 200);
      }
      const now = await shop.tokens(ticket);
      expect(now.map(({ node, status, holdCode, queueReason }) => [node, status, holdCode, queueReason])).toEqual([
        ['SEW', 'ready', null, null],
        ['SEW', 'waiting', null, 'WIP_LIMIT'],
        ['CUT', 'ready', 'QUEUE_LIMIT', 'QUEUE_LIMIT'],
      ]);
      const [sewn] = now;
      if (!sewn) throw new Error('There are three tokens');
      await start(ada, sewn);
      await shop.keyed(ada.api).post(`/api/production/tokens/${sewn.id}/complete`, {}, 200);
      expect(await wakeUp()).toBe(1);
      expect((await shop.tokens(ticket)).map(({ node, status, holdCode }) => [node, status, holdCode])).toEqual([
        [null, 'completed', null],
        ['SEW', 'ready', null],
        ['SEW', 'waiting', null],
      ]);
    });

    it('in the order of priority, of when it is due, and of who came first', async () => {
      const graph = await shop.linear(operation('CUT', { wipLimit: 1 }), 'SEW');
      const { tokens: inside } = await run(graph, 1);
      const plain = await run(graph, 1);
      const due = await run(graph, 1, { dueAt: '2031-01-01T00:00:00Z' });
      const urgent = await run(graph, 1, { priority: 5 });
      const order: string[] = [];
      let [current] = inside;
      while (order.length < 3) {
        if (!current) throw new Error('Somebody is inside');
        await start(ada, current);
        await shop.keyed(ada.api).post(`/api/production/tokens/${current.id}/complete`, {}, 200);
        expect(await wakeUp()).toBe(1);
        const all = (await Promise.all([plain, due, urgent].map(({ ticket }) => shop.tokens(ticket)))).flat();
        current = all.find(({ status, node }) => status === 'ready' && node === 'CUT');
        order.push(current?.id ?? '');
      }
      expect(order).toEqual([urgent, due, plain].map(({ tokens }) => tokens[0]?.id));
    });

    it('holds whoever was assigned meanwhile, and admits them as they are', async () => {
      const graph = await shop.linear(operation('CUT', { wipLimit: 1 }), 'SEW');
      const { tokens, ticket } = await run(graph, 2);
      const [inside, waiting] = tokens;
      if (!inside || !waiting) throw new Error('There are two tokens');
      policy.isOn = true;
      policy.answer = () => toOperator(ada.id);
      const body = { tokenIds: [waiting.id], operatorId: ben.id };
      expect(await shop.keyed(boss.api).post('/api/production/assignments', body, 200, assignedTokens)).toMatchObject({
        assigned: 1,
      });
      await start(ada, inside);
      await shop.keyed(ada.api).post(`/api/production/tokens/${inside.id}/complete`, {}, 200);
      await wakeUp();
      expect((await shop.tokens(ticket))[1]).toMatchObject({ status: 'ready' });
      expect(await item(ben, waiting)).toMatchObject({ assignment: { method: 'MANUAL', operator: { id: ben.id } } });
    });

    it('has come as soon as what was worked on there is held, or its job is paused', async () => {
      const graph = await shop.linear(operation('CUT', { concurrencyLimit: 1 }), 'SEW');
      const rung = async () =>
        (
          await shop.api.rows(
            `SELECT FROM platform.outbox WHERE name = 'production.queue-wake' AND body ->> 'scope' = $1`,
            [`node/${graph.graphId}/*/CUT`],
          )
        ).length;
      const [first, second, third] = [await run(graph, 1), await run(graph, 1), await run(graph, 1)];
      const [held, paused] = [first.tokens[0], second.tokens[0]];
      if (!held || !paused) throw new Error('Each has a token');
      await start(ada, held);
      const last = await run(graph, 1);
      expect(last.tokens).toMatchObject([{ queueReason: 'CONCURRENCY_LIMIT' }]);
      const before = await rung();
      expect(await post(boss, `tokens/${held.id}/hold`, { reason: 'look' })).toBe('200');
      expect(await rung()).toBe(before + 1);
      await start(ben, paused);
      await askJob(second.ticket, 'pause', { reason: 'stocktaking' });
      expect(await rung()).toBe(before + 2);
      expect(await wakeUp()).toBe(1);
      expect(await shop.tokens(last.ticket)).toMatchObject([{ status: 'ready' }]);
      expect(await shop.tokens(third.ticket)).toMatchObject([{ status: 'ready' }]);
    });

    it('ends when the limit is raised, and when there is none any more', async () => {
      const { graphId } = await shop.linear(operation('CUT', { wipLimit: 1 }), 'SEW');
      const { ticket } = await run({ graphId }, 4);
      expect(waits(await shop.tokens(ticket))).toHaveLength(3);
      const set = (version: number, wipLimit: number | null) => limitCut(graphId, version, wipLimit);
      expect(await set(1, 2)).toBe('200');
      expect(await wakeUp()).toBe(1);
      expect(await set(2, null)).toBe('200');
      expect(await wakeUp()).toBe(2);
      expect(waits(await shop.tokens(ticket))).toEqual([]);
    });
  });

  describe('for the job', () => {
    it('while that is paused: others go before it, and its turn is its own again when the job goes on', async () => {
      const { graphId } = await shop.linear(operation('CUT', { wipLimit: 1 }), 'SEW');
      const limit = (version: number, wipLimit: number) => limitCut(graphId, version, wipLimit);
      const first = await run({ graphId }, 2);
      const resting = first.tokens[1];
      if (!resting) throw new Error('There are two tokens');
      await askJob(first.ticket, 'pause', { reason: 'stocktaking' });
      expect(await reasons(first.ticket)).toEqual([null, 'JOB_PAUSED']);

      const second = await run({ graphId }, 1);
      const [other] = second.tokens;
      if (!other) throw new Error('There is a token');
      expect(await item(ada, other)).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 1 });
      expect(await limit(1, 2)).toBe('200');
      expect(await wakeUp()).toBe(1);
      expect(await reasons(second.ticket)).toEqual([null]);
      expect(await reasons(first.ticket)).toEqual([null, 'JOB_PAUSED']);

      const third = await run({ graphId }, 1);
      await askJob(first.ticket, 'resume');
      expect(await item(ada, resting)).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 1 });
      expect(await limit(2, 3)).toBe('200');
      expect(await wakeUp()).toBe(1);
      expect(await reasons(first.ticket)).toEqual([null, null]);
      expect(await reasons(third.ticket)).toEqual(['WIP_LIMIT']);
      const told = await shop.api.rows<{ type: string; reason: string | null }>(
        `SELECT type, payload ->> 'queueReason' AS reason FROM production.token_event
         WHERE token_id = $1 AND type IN ('QUEUED', 'WOKEN') ORDER BY id`,
        [resting.id],
      );
      expect(told.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
        'QUEUED WIP_LIMIT',
        'QUEUED JOB_PAUSED',
        'QUEUED WIP_LIMIT',
        'WOKEN WIP_LIMIT',
      ]);
    });

    it('and for nobody else while that is paused', async () => {
      policy.isOn = true;
      policy.answer = ({ id }) => (id === policy.asked[0]?.tokens[0]?.id ? toOperator(ada.id) : queued('NO_MATCH'));
      const { ticket, tokens } = await run(await shop.linear('CUT', 'SEW'), 2);
      expect(tokens.map(({ queueReason }) => queueReason).toSorted()).toEqual(['NO_MATCH', null]);
      await askJob(ticket, 'pause', { reason: 'stocktaking' });
      policy.answer = () => queued('OPERATOR_UNAVAILABLE');
      const gone = { how: 'away', reason: 'leave', until: null, eventId: '904', checkpoint: nothing } as const;
      await shop.api.app.get(Absence, { strict: false }).leave(system, ada.id, gone);
      expect(await reasons(ticket)).toEqual(['JOB_PAUSED', 'JOB_PAUSED']);
      policy.answer = () => toOperator(ben.id);
      await wakeUp();
      expect(await reasons(ticket)).toEqual(['JOB_PAUSED', 'JOB_PAUSED']);
      await askJob(ticket, 'resume');
      expect(await wakeUp()).toBe(2);
      expect(await reasons(ticket)).toEqual([null, null]);
      await clear();
    });
  });

  describe('is counted', () => {
    it('where the place is, whatever the graph and the job', async () => {
      const body = { siteId: shop.site.id, code: fresh('WC'), name: 'Table', wipLimit: 2 };
      const { id } = await shop.keyed().post('/api/production/work-centers', body, 201, workCenterView);
      const one = await shop.linear(operation('CUT', { workCenterId: id }));
      const other = await shop.linear(operation('TRIM', { workCenterId: id }));
      const [first, second] = [await run(one, 1), await run(other, 3)];
      expect([...first.tokens, ...second.tokens].filter(({ status }) => status === 'ready')).toHaveLength(2);
      const last = byId(waits(second.tokens)).at(-1);
      if (!last) throw new Error('Two of them wait');
      expect(await item(ada, last)).toMatchObject({ queueReason: 'WIP_LIMIT', queuePosition: 2 });
    });

    it('for each job alone where the node says so', async () => {
      const graph = await shop.linear(operation('CUT', { wipLimit: 1, limitScope: 'INSTANCE' }));
      const [first, second] = [await run(graph, 2), await run(graph, 2)];
      expect(first.tokens.filter(({ status }) => status === 'ready')).toHaveLength(1);
      expect(second.tokens.filter(({ status }) => status === 'ready')).toHaveLength(1);
      await shop.keyed().post(`/api/production/job-tickets/${first.ticket.id}/cancel`, { reason: 'over' }, 200);
      expect(await wakeUp()).toBe(0);
    });

    it('in minutes by what the node has taken lately, as soon as that was five times', async () => {
      const graph = await shop.linear(operation('CUT', { wipLimit: 1, estimatedMinutes: 30 }), 'SEW');
      shop.now = noon;
      const { ticket } = await run(graph, 7);
      let minutes = 0;
      const estimate = async () => {
        const next = byId(waits(await shop.tokens(ticket)))[0];
        return next ? (await item(ada, next))?.estimatedWaitMinutes : undefined;
      };
      policy.isOn = true;
      expect(await estimate()).toBe(30);
      for (const took of [10, 12, 14, 16, 90]) {
        const inside = (await shop.tokens(ticket)).find(({ status, node }) => status === 'ready' && node === 'CUT');
        if (!inside) throw new Error('Somebody is inside');
        await start(ada, inside);
        minutes += took;
        shop.now = later(minutes);
        await shop.keyed(ada.api).post(`/api/production/tokens/${inside.id}/complete`, {}, 200);
        await wakeUp();
      }
      expect(await estimate()).toBe(14);
      await clear();
    });
  });

  it('is measured, by names that the code knows', async () => {
    const text = await shop.api.app.get<Metrics>(METRICS, { strict: false }).metrics();
    expect(text).toMatch(/^production_wake_total \d+$/m);
    expect(text).toMatch(/^tokens_unassigned \d+$/m);
    expect(text).toMatch(/^resolver_error_total \d+$/m);
    expect(text).toMatch(/^queue_wait_seconds_count \d+$/m);
    const { tokens } = await run(await shop.linear('CUT'), 1);
    await shop.keyed(boss.api).post(`/api/production/tokens/${tokens[0]?.id}/hold`, { reason: 'look' }, 200);
    expect(await shop.api.app.get<Metrics>(METRICS, { strict: false }).metrics()).toContain(
      'tokens_held{hold_code="SUPERVISOR"} ',
    );
  });

  describe('for people', () => {
    it('has its reason from the policy, and ends when the policy finds somebody', async () => {
      const graph = await shop.linear(operation('CUT', { estimatedMinutes: 30 }), 'SEW');
      policy.isOn = true;
      policy.answer = () => queued('OPERATOR_UNAVAILABLE');
      shop.now = noon;
      const { ticket, tokens } = await run(graph, 2);
      expect(tokens.map(({ status, queueReason }) => [status, queueReason])).toEqual([
        ['waiting', 'OPERATOR_UNAVAILABLE'],
        ['waiting', 'OPERATOR_UNAVAILABLE'],
      ]);
      const [first, second] = byId(tokens);
      if (!first || !second) throw new Error('There are two tokens');
      policy.returns.set(first.id, later(120));
      expect(await item(ada, first)).toMatchObject({ queueReason: 'OPERATOR_UNAVAILABLE', estimatedWaitMinutes: 150 });
      expect(await item(ada, second)).toMatchObject({ queuePosition: 2, estimatedWaitMinutes: null });
      expect(await wakeUp()).toBe(0);
      policy.answer = ({ id }) => (id === first.id ? queued('NO_MATCH') : toOperator(ben.id));
      expect(await wakeUp()).toBe(1);
      expect(byId(await shop.tokens(ticket)).map(({ status, queueReason }) => [status, queueReason])).toEqual([
        ['waiting', 'NO_MATCH'],
        ['ready', null],
      ]);
      expect(await item(ben, second)).toMatchObject({ assignment: { method: 'AUTO', operator: { id: ben.id } } });
      expect(policy.events(second.id)).toEqual(['queued', 'woken']);

      policy.isOn = false;
      expect(await wakeUp()).toBe(1);
      expect(waits(await shop.tokens(ticket))).toEqual([]);
      expect(policy.events(first.id)).toEqual(['queued', 'queued']);
    });

    it('never asks again who has rejected it there', async () => {
      const graph = await shop.linear('CUT', 'SEW');
      policy.isOn = true;
      policy.answer = ({ id }, { exclude }) => ((exclude.get(id) ?? []).includes(ada.id) ? nobody : toOperator(ada.id));
      const { tokens } = await run(graph, 1);
      const [token] = tokens;
      if (!token) throw new Error('There is a token');
      const assignment = (await item(ada, token))?.assignment;
      expect(assignment).toMatchObject({ method: 'AUTO' });
      expect(await post(ada, `assignments/${assignment?.id}/reject`, { reason: 'too heavy' })).toBe('200');
      expect((await item(ben, token))?.assignment).toBeNull();
      expect(policy.events(token.id)).toEqual(['assigned', 'rejected', 'unassigned']);
    });

    it('goes on without a policy that fails, where everybody can see it', async () => {
      policy.isOn = true;
      policy.before = (tx) => tx.query('SELECT 1 / 0');
      const { tokens } = await run(await shop.linear('CUT', 'SEW'), 2);
      expect(tokens.map(({ status }) => status)).toEqual(['ready', 'ready']);
      const types = await shop.api.rows<{ type: string }>(
        `SELECT type FROM production.token_event WHERE token_id = $1 AND type = 'RESOLVER_ERROR'`,
        [tokens[0]?.id],
      );
      expect(types).toHaveLength(1);
      expect(policy.events(tokens[0]?.id ?? '')).toEqual(['resolver_error']);
      policy.before = () => Promise.resolve();
    });

    it('is over for whoever goes away: what they have not begun is for others, what they do rests', async () => {
      policy.isOn = true;
      policy.answer = ({ id }, { exclude }) => toOperator((exclude.get(id) ?? []).includes(ada.id) ? ben.id : ada.id);
      const { ticket, tokens } = await run(await shop.linear('CUT', 'SEW'), 3);
      const [first, second] = tokens;
      if (!first || !second) throw new Error('There are three tokens');
      await start(ada, first);
      const absence = shop.api.app.get(Absence, { strict: false });
      const away = (eventId: string, how: 'away' | 'gone', until: Date | null = null) =>
        absence.leave(system, ada.id, {
          how,
          reason: how === 'away' ? 'leave' : 'gone',
          until,
          eventId,
          checkpoint: nothing,
        });
      await away('901', 'away', new Date(Date.now() - 1));
      expect((await shop.tokens(ticket)).map(({ status }) => status)).toEqual(['active', 'ready', 'ready']);
      await away('902', 'away');
      expect((await shop.tokens(ticket)).map(({ status }) => status)).toEqual(['paused', 'ready', 'ready']);
      expect(await item(ben, second)).toMatchObject({ assignment: { operator: { id: ben.id } } });
      await shop.keyed(ada.api).post(`/api/production/tokens/${first.id}/resume`, {}, 200, workView);
      await away('902', 'away');
      expect((await shop.tokens(ticket))[0]).toMatchObject({ status: 'active' });
      await away('903', 'gone');
      expect((await shop.tokens(ticket))[0]).toMatchObject({ status: 'active' });
      const found = `/api/production/findings?subjectId=${first.id}&open=true`;
      expect((await boss.api.get(found, 200, findingList)).items).toMatchObject([
        { kind: 'operator-gone', repairable: false },
      ]);
      await shop.keyed(ada.api).post(`/api/production/tokens/${first.id}/complete`, {}, 200);
      await clear();
    });

    it('is decided anew when a plan changes, but never over what a person has said', async () => {
      policy.isOn = true;
      policy.answer = () => toOperator(ada.id);
      const { ticket, tokens } = await run(await shop.linear('CUT', 'SEW'), 3);
      const [begun, byHand, automatic] = tokens;
      if (!begun || !byHand || !automatic) throw new Error('There are three tokens');
      await start(ada, begun);
      const override = { type: 'reassign', operatorId: ada.id };
      expect(await post(boss, `tokens/${byHand.id}/override`, override)).toBe('200');
      policy.answer = () => toOperator(ben.id);
      const absence = shop.api.app.get(Absence, { strict: false });
      await absence.replan(system, { jobTicketId: ticket.id }, false, nothing);
      expect((await item(ada, automatic))?.assignment).toMatchObject({ method: 'AUTO' });
      await absence.replan(system, { jobTicketId: ticket.id }, true, nothing);
      expect((await item(ben, automatic))?.assignment).toMatchObject({ method: 'AUTO', operator: { id: ben.id } });
      expect((await item(ada, byHand))?.assignment).toMatchObject({ method: 'REASSIGN' });
      expect((await item(ada, begun))?.session).toMatchObject({ status: 'active' });
      await clear();
    });

    it('asks the policy before anybody works, who may be overruled by whoever may', async () => {
      policy.isOn = true;
      const { tokens } = await run(await shop.linear('CUT', 'SEW'), 1);
      const [token] = tokens;
      if (!token) throw new Error('There is a token');
      policy.verdict = ({ confirmed }) =>
        confirmed
          ? { allowed: true, warnings: [] }
          : { allowed: false, because: 'operator-unavailable', reason: 'leave', until: later(0), confirmable: true };
      expect(await post(ada, `tokens/${token.id}/start`)).toBe('409 operator-unavailable');
      expect(await post(ada, `tokens/${token.id}/claim`)).toBe('409 operator-unavailable');
      const body = { tokenIds: [token.id], operatorId: ada.id };
      expect(await post(boss, 'assignments', body)).toBe('409 operator-unavailable');
      expect(await post(boss, 'assignments', { ...body, confirmUnavailable: true })).toBe('200');
      policy.verdict = () => ({ allowed: false, because: 'skill-missing', skill: 'blind-stitch' });
      expect(await post(ada, `tokens/${token.id}/start`)).toBe('422 skill-missing');
    });
  });

  describe('is looked after', () => {
    const look = (checks = invariants) =>
      shop.api.app.get(HealthService, { strict: false }).look(system, checks, nothing);

    it('finds what disagrees, and repairs it at a word', async () => {
      await look({ ...invariants, ...nightly });
      const open = async () =>
        (await boss.api.get('/api/production/findings?open=true&limit=200', 200, findingList)).items.filter(
          ({ kind }) => kind in invariants,
        );
      expect(await open()).toEqual([]);
      const { ticket, tokens } = await run(await shop.linear('CUT', 'SEW'), 3);
      const [lost, stray, strayed] = tokens;
      if (!lost || !stray || !strayed) throw new Error('There are three tokens');
      await start(ada, lost);
      await start(ben, stray);
      await shop.api.rows(
        `UPDATE production.token_work_session SET status = 'completed', ended_at = started_at WHERE token_id = $1`,
        [lost.id],
      );
      await shop.api.rows(`UPDATE production.flow_token SET status = 'ready' WHERE id = $1`, [stray.id]);
      await shop.api.rows(`DELETE FROM production.token_node_visit WHERE token_id = $1 AND left_at IS NULL`, [
        strayed.id,
      ]);
      await look();
      const found = await open();
      const kinds = new Set(found.map(({ kind }) => kind));
      expect([...kinds].toSorted()).toEqual([
        'assignment-without-session',
        'session-without-token',
        'token-without-session',
        'visit-gap',
      ]);
      for (const { id } of found) expect(await post(boss, `findings/${id}/repair`, { reason: 'crash' })).toBe('200');
      expect(await post(boss, `findings/${found[0]?.id}/repair`, { reason: 'crash' })).toBe(
        '409 finding-not-repairable',
      );
      await look();
      expect(await open()).toEqual([]);
      expect((await shop.tokens(ticket)).map(({ status }) => status)).toEqual(['ready', 'ready', 'ready']);
      expect(await post(ada, `findings/${found[0]?.id}/repair`, { reason: 'crash' })).toBe('403 permission-missing');
    });
  });

  it('is told to supervisors when half an hour has brought nobody who could do it', async () => {
    policy.isOn = true;
    policy.answer = () => queued('NO_MATCH');
    shop.now = noon;
    const { tokens } = await run(await shop.linear('CUT', 'SEW'), 1);
    const path = `/api/production/findings?subjectId=${tokens[0]?.id}&open=true`;
    const told = async (minutes: number) => {
      shop.now = later(minutes);
      await shop.api.app.get(HealthService, { strict: false }).look(system, upkeep, nothing);
      return (await boss.api.get(path, 200, findingList)).items.map(({ kind }) => kind);
    };
    expect(await told(30)).toEqual([]);
    expect(await told(30.1)).toEqual(['unmatched-long']);
    expect(await shop.api.app.get<Metrics>(METRICS, { strict: false }).metrics()).toContain(
      'findings_open{kind="unmatched-long"} 1',
    );
    policy.answer = () => toOperator(ada.id);
    expect(await wakeUp()).toBe(1);
    expect(await told(31)).toEqual([]);
    await clear();
  });

  it('is core: there is no flag that takes it away', () => {
    expect(production).not.toHaveProperty('flag');
  });
});
