import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment, pinView, planView, type PlanView } from '@belay/assignment';
import { listOf } from '@belay/platform';
import type { VersionItem } from '@belay/production';
import { newHolder, newSite, newTeam, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { operation, Workshop, type Worker } from '../production/workshop.js';

const plans = '/api/assignment/plans';
const pins = '/api/assignment/pins';

describe('planning', () => {
  let shop: Workshop;
  let supervisor: TestApi;
  let graph: VersionItem;
  let job: { readonly id: string };
  let worker: Worker;
  beforeAll(async () => {
    shop = await Workshop.open({}, assignment);
    supervisor = await newHolder(shop.api, shop.admin, 'supervisor', shop.site.id);
    graph = await shop.linear('CUT', 'SEW');
    job = await shop.ticket(graph);
    worker = await shop.worker();
  });
  afterAll(() => shop.close());

  const whom = (id = worker.id, type = 'operator') => ({ type, id });
  const drafted = (body: object): Promise<PlanView> => shop.keyed(supervisor).post(plans, body, 201, planView);
  const draft = (body: object, api = supervisor) => outcome(shop.keyed(api), 'POST', plans, body);
  const change = (plan: PlanView, body: object, match = `"${plan.rowVersion}"`) =>
    outcome(supervisor, 'PATCH', `${plans}/${plan.id}`, body, { 'if-match': match });
  const announced = async (since: string) =>
    (
      await shop.api.rows<{ body: unknown }>(
        `SELECT body FROM platform.outbox WHERE name = 'assignment.plan-changed' AND id > $1 ORDER BY id`,
        [since],
      )
    ).map(({ body }) => body);
  const mark = async () => {
    const [row] = await shop.api.rows<{ id: string }>(`SELECT coalesce(max(id), 0)::text AS id FROM platform.outbox`);
    return row?.id ?? '0';
  };

  describe('a plan', () => {
    it('is for a node of every job, for a job, or for one of its nodes; PIN waits and PLAN gives way unless said', async () => {
      const node = await drafted({ graphId: graph.graphId, nodeCode: 'CUT', assignee: whom() });
      const jobNode = await drafted({
        jobTicketId: job.id,
        nodeCode: 'CUT',
        mode: 'PIN',
        assignee: whom(),
        priority: 1,
      });
      const whole = await drafted({ jobTicketId: job.id, assignee: whom(), unavailablePolicy: 'WAIT' });
      expect([node, jobNode, whole].map((one) => [one.scope, one.mode, one.priority, one.unavailablePolicy])).toEqual([
        ['node', 'PLAN', 100, 'NEXT'],
        ['job-node', 'PIN', 1, 'WAIT'],
        ['job', 'PLAN', 100, 'WAIT'],
      ]);
      const ids = async (query: string) =>
        (await supervisor.get(`${plans}?${query}`, 200, listOf(planView))).items.map(({ id }) => id);
      expect(await ids(`graphId=${graph.graphId}`)).toEqual([node.id]);
      expect(await ids(`jobTicketId=${job.id}`)).toEqual([whole.id, jobNode.id]);
      expect(await ids(`jobTicketId=${job.id}&nodeCode=CUT&mode=PIN`)).toEqual([jobNode.id]);
      expect(await ids(`jobTicketId=${job.id}&active=false`)).toEqual([]);
    });

    it('that says the same as one in use is refused with that one, at once or at the same time', async () => {
      const ticket = await shop.ticket(graph);
      const body = { jobTicketId: ticket.id, assignee: whom() };
      const first = await drafted(body);
      const again = await shop.keyed(supervisor).send('POST', plans, { ...body, priority: 5 });
      expect([again.statusCode, again.json()]).toEqual([
        409,
        expect.objectContaining({ code: 'plan-duplicate', plan: first }),
      ]);
      await supervisor.delete(`${plans}/${first.id}`);
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => draft(body)));
      expect(outcomes.sort()).toEqual(['201', '409 plan-duplicate', '409 plan-duplicate', '409 plan-duplicate']);
      expect(await change({ ...first, rowVersion: 2 }, { active: true })).toBe('409 plan-duplicate');
    });

    it('is changed by who has seen its newest version, keeps what was not named, and is taken out of use once', async () => {
      const term = { validFrom: '2031-01-01T00:00:00Z', validTo: '2031-02-01T00:00:00Z' };
      const plan = await drafted({ jobTicketId: (await shop.ticket(graph)).id, assignee: whom(), ...term });
      expect(await change(plan, { priority: 7 })).toBe('200');
      expect(await change(plan, { priority: 8 })).toBe('412 precondition-failed');
      expect(await change(plan, { validFrom: '2031-02-01T00:00:00Z' }, '"2"')).toBe('422 invalid-request');
      expect(await change(plan, { validFrom: null }, '"2"')).toBe('200');
      const [row] = await shop.api.rows(
        `SELECT priority, valid_from, valid_to, row_version FROM assignment.assignment_plan_job WHERE id = $1`,
        [plan.id],
      );
      expect(row).toEqual({ priority: 7, valid_from: null, valid_to: new Date(term.validTo), row_version: 3 });
      const since = await mark();
      await supervisor.delete(`${plans}/${plan.id}?applyToRunning=true`);
      await supervisor.delete(`${plans}/${plan.id}`);
      expect(await announced(since)).toEqual([
        { scope: 'job', ids: { jobTicketId: plan.jobTicketId }, applyToRunning: true },
      ]);
    });

    it('is only for nodes where people work, for people and teams there are, and by who may plan there', async () => {
      const body = { graphId: graph.graphId, nodeCode: 'CUT', assignee: whom(), priority: 3 };
      expect(await draft({ ...body, nodeCode: 'START' })).toBe('422 node-not-operable');
      expect(await draft({ ...body, nodeCode: 'GLUE' })).toBe('422 node-not-operable');
      expect(await draft({ ...body, graphId: randomUUIDv7() })).toBe('422 node-not-operable');
      expect(await draft({ ...body, assignee: whom(randomUUIDv7()) })).toBe('422 invalid-request');
      expect(await draft({ ...body, assignee: whom(randomUUIDv7(), 'team') })).toBe('422 invalid-request');
      expect(await draft({ jobTicketId: randomUUIDv7(), assignee: whom() })).toBe('422 invalid-request');
      expect(await draft({ ...body, jobTicketId: job.id })).toBe('422 invalid-request');
      expect(await draft({ graphId: graph.graphId, assignee: whom() })).toBe('422 invalid-request');
      expect(await draft(body, worker.api)).toBe('403 permission-missing');
      const elsewhere = await newHolder(shop.api, shop.admin, 'supervisor', (await newSite(shop.admin)).id);
      expect(await draft({ jobTicketId: job.id, assignee: whom() }, elsewhere)).toBe('403 permission-missing');
      expect(await draft(body, elsewhere)).toBe('403 permission-missing');
      const list = await elsewhere.get(`${plans}?jobTicketId=${job.id}`, 200, listOf(planView));
      expect(list.items).toEqual([]);
    });

    it.each([
      [0, '422 invalid-request'],
      [1, '201'],
      [999, '201'],
      [1_000, '422 invalid-request'],
    ])('has a priority from 1 to 999: %d', async (priority, expected) => {
      const ticket = await shop.ticket(graph);
      expect(await draft({ jobTicketId: ticket.id, assignee: whom(), priority })).toBe(expected);
    });
  });

  describe('a pin', () => {
    const pin = (body: object, api = supervisor) => outcome(api, 'PUT', pins, body);

    it('takes the place of what was pinned there, whatever its scope, and comes off once', async () => {
      const other = await shop.worker();
      const token = (await shop.pieces(graph, 1)).at(0);
      const ticket = await shop.ticket(graph);
      const places = [
        { scope: 'token', tokenId: token?.id },
        { scope: 'token', tokenId: token?.id, nodeCode: 'SEW' },
        { scope: 'job-node', jobTicketId: ticket.id, nodeCode: 'CUT' },
        { scope: 'node', graphId: graph.graphId, nodeCode: 'SEW' },
        { scope: 'job', jobTicketId: ticket.id },
      ];
      for (const place of places) {
        await supervisor.put(pins, { ...place, assignee: whom() }, 200, pinView);
        const set = await supervisor.put(
          pins,
          { ...place, assignee: whom(other.id), reason: 'knows it' },
          200,
          pinView,
        );
        expect(set).toMatchObject({
          ...place,
          assignee: whom(other.id),
          unavailablePolicy: 'WAIT',
          reason: 'knows it',
        });
        const query = new URLSearchParams(
          Object.entries(place).filter((pair): pair is [string, string] => pair[1] !== undefined),
        );
        expect(await outcome(supervisor, 'DELETE', `${pins}?${query.toString()}`)).toBe('204');
        expect(await outcome(supervisor, 'DELETE', `${pins}?${query.toString()}`)).toBe('404 pin-not-found');
      }
    });

    it('is announced with its scope, and logged when it is set and when it comes off', async () => {
      const ticket = await shop.ticket(graph);
      const since = await mark();
      const place = { scope: 'job-node', jobTicketId: ticket.id, nodeCode: 'CUT' };
      await supervisor.put(pins, { ...place, assignee: whom(), applyToRunning: true }, 200, pinView);
      await supervisor.delete(`${pins}?scope=job-node&jobTicketId=${ticket.id}&nodeCode=CUT`);
      const ids = { jobTicketId: ticket.id, nodeCode: 'CUT' };
      expect(await announced(since)).toEqual([
        { scope: 'job-node', ids, applyToRunning: true },
        { scope: 'job-node', ids, applyToRunning: false },
      ]);
      const logged = await shop.api.rows(
        `SELECT event, method, tier, assigned_to_type, operator_id FROM assignment.assignment_log
         WHERE job_ticket_id = $1 ORDER BY id`,
        [ticket.id],
      );
      const entry = { method: 'PIN', tier: 'job_node', assigned_to_type: 'operator', operator_id: worker.id };
      expect(logged).toEqual([
        { event: 'pin_set', ...entry },
        { event: 'pin_unset', ...entry },
      ]);
    });

    it('is refused where the node leaves the team out, or is of another mode; a person may do it in any of their teams', async () => {
      const oem = await shop.newTeam({ productionMode: 'oem' });
      const banned = await shop.newTeam();
      const picked = await newTeam(shop.admin, shop.site.id);
      const version = await shop.linear(
        operation('CUT', { forbiddenTeamIds: [banned.id], productionMode: 'atelier' }),
        operation('SEW', { allowedTeamIds: [picked.id] }),
      );
      const at = (nodeCode: string, id: string, type = 'team') =>
        pin({ scope: 'node', graphId: version.graphId, nodeCode, assignee: whom(id, type) });
      expect(await at('CUT', banned.id)).toBe('422 team-forbidden');
      expect(await at('CUT', oem.id)).toBe('422 mode-mismatch');
      expect(await at('SEW', banned.id)).toBe('422 team-forbidden');
      expect(await at('SEW', picked.id)).toBe('200');
      const outsider = await shop.worker({ team: banned.id });
      expect(await at('CUT', outsider.id, 'operator')).toBe('422 team-forbidden');
      const both = await shop.worker({ team: banned.id });
      await shop.admin.put(`/api/directory/teams/${shop.team.id}/members/${both.id}`, {});
      expect(await at('CUT', both.id, 'operator')).toBe('200');
      const plan = { graphId: version.graphId, nodeCode: 'CUT', assignee: whom(banned.id, 'team') };
      expect(await draft({ ...plan, mode: 'PIN' })).toBe('422 team-forbidden');
      expect(await draft(plan)).toBe('201');
    });

    it('on somebody who is away is set by who says that they know, and may overrule it', async () => {
      const away = await shop.worker();
      await supervisor.put(`/api/assignment/operators/${away.id}/override`, { isAvailable: false });
      const body = { scope: 'job', jobTicketId: (await shop.ticket(graph)).id, assignee: whom(away.id) };
      const refused = await supervisor.send('PUT', pins, body);
      expect([refused.statusCode, refused.json()]).toEqual([
        409,
        expect.objectContaining({ code: 'operator-unavailable', reason: 'override', until: null, confirmable: true }),
      ]);
      const planner = await newHolder(shop.api, shop.admin, 'planner', shop.site.id);
      expect(await pin({ ...body, confirmUnavailable: true }, planner)).toBe('409 operator-unavailable');
      expect(await pin({ ...body, confirmUnavailable: true })).toBe('200');
    });

    it('names just what its scope needs', async () => {
      const assignee = whom();
      const ids = { tokenId: randomUUIDv7(), jobTicketId: job.id, graphId: graph.graphId, nodeCode: 'CUT' };
      const { tokenId, jobTicketId, graphId, nodeCode } = ids;
      for (const body of [
        { scope: 'token' },
        { scope: 'token', tokenId, jobTicketId },
        { scope: 'job-node', jobTicketId },
        { scope: 'node', nodeCode },
        { scope: 'node', graphId, nodeCode, jobTicketId },
        { scope: 'job', jobTicketId, nodeCode },
        { scope: 'token', tokenId },
      ]) {
        expect(await pin({ ...body, assignee })).toBe('422 invalid-request');
      }
    });

    it('set by several at once is one in the end', async () => {
      const token = (await shop.pieces(graph, 1)).at(0);
      const workers = await shop.workers(4);
      const outcomes = await Promise.all(
        workers.map(({ id }) => pin({ scope: 'token', tokenId: token?.id, assignee: whom(id) })),
      );
      expect(new Set(outcomes)).toEqual(new Set(['200']));
      const ticket = await shop.ticket(graph);
      const onJob = await Promise.all(
        workers.map(({ id }) => pin({ scope: 'job', jobTicketId: ticket.id, assignee: whom(id) })),
      );
      expect(new Set(onJob)).toEqual(new Set(['200']));
      const [count] = await shop.api.rows(
        `SELECT (SELECT count(*)::int FROM assignment.token_pin WHERE token_id = $1 AND active) AS token,
                (SELECT count(*)::int FROM assignment.assignment_plan_job WHERE job_ticket_id = $2 AND active) AS job`,
        [token?.id, ticket.id],
      );
      expect(count).toEqual({ token: 1, job: 1 });
    });
  });
});
