import { globSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment, leaveView, pinView, planView } from '@belay/assignment';
import { directory } from '@belay/directory';
import { Queues, Routes, RUNTIME, type Runtime } from '@belay/platform';
import { production, type VersionItem } from '@belay/production';
import { z } from 'zod';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { newHolder, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { operation, Workshop, type TokenFacts, type Worker } from '../production/workshop.js';

const RUNTIME_FLAG = 'enable_assignment_runtime';
const PREVIEW_FLAG = 'enable_assignment_preview';
const plans = '/api/assignment/plans';
const method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

interface Given {
  readonly method: string;
  readonly operatorId: string | null;
}

describe('the assignment module', () => {
  const domains = [directory, production, assignment];
  let flags: FlagsFile;
  let shop: Workshop;
  let supervisor: TestApi;
  let graph: VersionItem;
  let workers: Worker[];
  beforeAll(async () => {
    flags = new FlagsFile(domains, [RUNTIME_FLAG, 'enforce_availability']);
    shop = await Workshop.open({ config: { FLAGS_FILE: flags.path } }, assignment);
    supervisor = await newHolder(shop.api, shop.admin, 'supervisor', shop.site.id);
    graph = await shop.linear('SEW');
    workers = await shop.workers(3);
  });
  afterAll(async () => {
    await shop.close();
    flags.remove();
  });

  let running: RunningWorker | undefined;
  /** Until every process has heard of it. */
  const switched = async (runtime: boolean, preview: boolean) => {
    flags.set(RUNTIME_FLAG, { enabled: runtime });
    flags.set(PREVIEW_FLAG, { enabled: preview });
    const gates = [shop.api.app.get<Runtime>(RUNTIME).gate, ...(running ? [running.runtime.gate] : [])];
    await eventually(() => {
      for (const gate of gates) {
        expect([gate.domainMode('assignment'), gate.featureMode(PREVIEW_FLAG)]).toEqual([
          runtime ? 'on' : 'off',
          preview ? 'on' : 'off',
        ]);
      }
    }, 10_000);
  };
  const given = async ({ id }: Pick<TokenFacts, 'id'>): Promise<Given | undefined> =>
    (
      await shop.api.rows<{ method: string; operatorId: string | null }>(
        `SELECT method, operator_id AS "operatorId" FROM production.token_assignment
         WHERE token_id = $1 AND status IN ('assigned', 'accepted', 'started', 'paused')`,
        [id],
      )
    ).at(0);
  const logged = async (): Promise<number> => {
    const [row] = await shop.api.rows<{ entries: number }>(
      `SELECT count(*)::int AS entries FROM assignment.assignment_log`,
    );
    return row?.entries ?? 0;
  };
  /** How often it was asked for a decision. */
  const resolved = () => shop.api.app.get<Runtime>(RUNTIME).metrics.getSingleMetricAsString('assignment_resolve_total');
  const announced = async (): Promise<number> => {
    const [row] = await shop.api.rows<{ facts: number }>(
      `SELECT count(*)::int AS facts FROM platform.outbox WHERE name LIKE 'assignment.%'`,
    );
    return row?.facts ?? 0;
  };
  const assign = (token: TokenFacts, worker: Worker) =>
    outcome(shop.keyed(supervisor), 'POST', '/api/production/assignments', {
      tokenIds: [token.id],
      operatorId: worker.id,
    });
  const worker = (n: number): Worker => {
    const one = workers[n];
    if (!one) throw new Error('There is such a worker');
    return one;
  };

  it('gives out work while it is on, and says why', async () => {
    const before = await logged();
    const tokens = await shop.pieces(graph, 3);
    const people = await Promise.all(tokens.map(given));
    expect(people.map((one) => one?.method)).toEqual(['AUTO', 'AUTO', 'AUTO']);
    expect(new Set(people.map((one) => one?.operatorId))).toEqual(new Set(workers.map(({ id }) => id)));
    expect(await logged()).toBe(before + 3);
  });

  it('is gone when it is off, and the floor goes on by hand: nobody is chosen, nothing is logged', async () => {
    const [held] = await shop.pieces(graph, 1);
    const holder = held && (await given(held));
    const owner = workers.find(({ id }) => id === holder?.operatorId);
    if (!held || !owner) throw new Error('Somebody has it');
    await switched(false, false);
    const [entries, facts, asked] = [await logged(), await announced(), await resolved()];
    const routes = shop.api.app.get(Routes).all.filter((route) => route.domain?.name === 'assignment');
    expect(routes.length).toBeGreaterThan(20);
    for (const route of routes) {
      expect([route.path, await outcome(shop.admin, method.parse(route.method), route.path, {})]).toEqual([
        route.path,
        '404 module-off',
      ]);
    }

    const [free, manual, claimed] = await shop.pieces(graph, 3);
    if (!free || !manual || !claimed) throw new Error('Three were made');
    expect([free.status, free.queueReason, await given(free)]).toEqual(['ready', null, undefined]);
    expect(await assign(manual, worker(0))).toBe('200');
    expect(await given(manual)).toEqual({ method: 'MANUAL', operatorId: worker(0).id });
    expect(await outcome(shop.keyed(worker(1).api), 'POST', `/api/production/tokens/${claimed.id}/claim`)).toBe('200');
    expect(
      await outcome(shop.keyed(owner.api), 'POST', `/api/production/tokens/${held.id}/start`, { mode: 'own' }),
    ).toBe('200');
    expect(await outcome(shop.keyed(owner.api), 'POST', `/api/production/tokens/${held.id}/complete`)).toBe('200');
    expect([await logged(), await announced(), await resolved()]).toEqual([entries, facts, asked]);
  });

  it('lets people prepare while only the preview is on; nothing is decided, told or logged', async () => {
    await switched(false, true);
    const [entries, facts] = [await logged(), await announced()];
    const manager = await newHolder(shop.api, shop.admin, 'manager', shop.site.id);
    const [token] = await shop.pieces(graph, 1);
    if (!token) throw new Error('One was made');
    expect(await given(token)).toBeUndefined();

    const assignee = { type: 'operator', id: worker(2).id };
    await shop.keyed(supervisor).post(plans, { graphId: graph.graphId, nodeCode: 'SEW', assignee }, 201, planView);
    await supervisor.put('/api/assignment/pins', { scope: 'token', tokenId: token.id, assignee }, 200, pinView);
    const leave = await shop
      .keyed(worker(0).api)
      .post(
        '/api/assignment/leave-requests',
        { leaveType: 'sick', from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 3_600_000) },
        201,
        leaveView,
      );
    const path = `/api/assignment/leave-requests/${leave.id}`;
    await shop.keyed(manager).post(`${path}/approve`, undefined, 200, leaveView);
    await shop.keyed(manager).post(`${path}/end`, undefined, 200, leaveView);
    await supervisor.delete(`/api/assignment/pins?scope=token&tokenId=${token.id}`);
    expect([await logged(), await announced()]).toEqual([entries, facts]);
    expect(await given(token)).toBeUndefined();
  });

  it('is rolled out graph by graph, while the preview lets people in; other graphs have the core’s default', async () => {
    const other = await shop.linear('SEW');
    const [own] = [{ contextName: 'graphId', operator: 'IN', values: [graph.graphId], inverted: false }];
    const parameters = { rollout: '100', stickiness: 'default', groupId: RUNTIME_FLAG };
    const everybody = { name: 'flexibleRollout', parameters, constraints: [] };
    flags.set(RUNTIME_FLAG, { enabled: true, strategies: [{ ...everybody, constraints: [own] }], variants: [] });
    flags.on(PREVIEW_FLAG);
    const { gate } = shop.api.app.get<Runtime>(RUNTIME);
    const modes = () => [graph, other].map(({ graphId }) => gate.domainMode('assignment', { graphId }));
    await eventually(() => {
      expect(modes()).toEqual(['on', 'off']);
    }, 10_000);
    const [here] = await shop.pieces(graph, 1);
    const [there] = await shop.pieces(other, 1);
    expect(here && (await given(here))?.method).toBe('PLAN');
    expect(there && [there.status, await given(there)]).toEqual(['ready', undefined]);
    expect(await outcome(supervisor, 'GET', plans)).toBe('200');
    flags.set(RUNTIME_FLAG, { enabled: false, strategies: [everybody] });
  });

  it('that goes off during a spawn is asked for every token of it, or for none', async () => {
    const COUNT = 40;
    const entries: number[] = [];
    for (const delay of [0, 20, 40, 60]) {
      await switched(true, false);
      const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: COUNT });
      const started = shop.start(ticket);
      await sleep(delay);
      await Promise.all([started, switched(false, false)]);
      const [row] = await shop.api.rows<{ entries: number }>(
        `SELECT count(*)::int AS entries FROM assignment.assignment_log WHERE job_ticket_id = $1`,
        [ticket.id],
      );
      entries.push(row?.entries ?? -1);
    }
    expect(entries.filter((count) => count !== 0 && count !== COUNT)).toEqual([]);
  });

  it('asks for no flag that it does not have', () => {
    const sources = globSync('libs/assignment/src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
    const asked = sources.flatMap((text) =>
      [...text.matchAll(/(?:featureMode|KeptBy|InFeature)\('([^']+)'/g)].map(([, flag]) => flag),
    );
    expect(asked.length).toBeGreaterThan(3);
    const known: readonly string[] = assignment.features.map(({ flag }) => flag);
    expect(asked.filter((flag) => flag === undefined || !known.includes(flag))).toEqual([]);
  });

  describe('on again', () => {
    beforeAll(async () => {
      await switched(false, false);
      running = await startWorker({ config: shop.api.config, domains });
    });
    afterAll(() => running?.close());

    it('decides what nobody has, by the plans that rested, and leaves alone what somebody has', async () => {
      const [free, manual] = await shop.pieces(graph, 2);
      if (!free || !manual) throw new Error('Two were made');
      expect(await assign(manual, worker(0))).toBe('200');
      await switched(true, false);
      await eventually(async () => {
        expect(await given(free)).toEqual({ method: 'PLAN', operatorId: worker(2).id });
      }, 20_000);
      expect(await given(manual)).toEqual({ method: 'MANUAL', operatorId: worker(0).id });
    });

    it('says once that it has begun, and whoever went meanwhile', async () => {
      await switched(false, true);
      await supervisor.put(`/api/assignment/operators/${worker(1).id}/override`, { isAvailable: false });
      const facts = await announced();
      await switched(true, true);
      await eventually(async () => {
        const rows = await shop.api.rows<{ name: string }>(
          `SELECT name FROM platform.outbox WHERE name LIKE 'assignment.%' ORDER BY id OFFSET $1`,
          [facts],
        );
        expect(rows.map(({ name }) => name)).toEqual(['assignment.operator-unavailable', 'assignment.plan-changed']);
      }, 10_000);
    });

    it('pauses the work of who goes on leave and gives others what they have not begun', async () => {
      await switched(true, true);
      await supervisor.put(`/api/assignment/operators/${worker(1).id}/override`, { isAvailable: true });
      const manager = await newHolder(shop.api, shop.admin, 'manager', shop.site.id);
      const team = await shop.newTeam({ teamCategory: 'sewing' });
      const hands = await Promise.all([1, 2, 3].map(() => shop.worker({ team: team.id })));
      const [sick] = hands;
      const tokens = await shop.pieces(await shop.linear(operation('HEM', { teamCategory: 'sewing' })), 6);
      const mine: TokenFacts[] = [];
      for (const token of tokens) if ((await given(token))?.operatorId === sick?.id) mine.push(token);
      const [begun, next] = mine;
      if (!sick || !begun || !next) throw new Error('Six are two for each of three');
      await shop.keyed(sick.api).post(`/api/production/tokens/${begun.id}/start`, { mode: 'own' }, 200);
      const leave = await shop
        .keyed(sick.api)
        .post(
          '/api/assignment/leave-requests',
          { leaveType: 'sick', from: new Date(), until: new Date(Date.now() + 3_600_000) },
          201,
          leaveView,
        );
      await shop.keyed(manager).post(`/api/assignment/leave-requests/${leave.id}/approve`, undefined, 200, leaveView);
      await eventually(async () => {
        const [session] = await shop.api.rows(
          `SELECT status, pause_reason FROM production.token_work_session WHERE token_id = $1`,
          [begun.id],
        );
        expect(session).toEqual({ status: 'paused', pause_reason: 'leave' });
        expect((await given(begun))?.operatorId).toBe(sick.id);
        const now = await given(next);
        expect(hands.slice(1).map(({ id }) => id)).toContain(now?.operatorId);
        expect(now?.method).toBe('AUTO');
      }, 20_000);
    });

    it('decides anew what nobody has begun, when a plan says so, and nothing otherwise', async () => {
      const team = await shop.newTeam({ teamCategory: 'cutting' });
      const [one, other] = await Promise.all([1, 2].map(() => shop.worker({ team: team.id })));
      const version = await shop.linear(operation('CUT', { teamCategory: 'cutting' }));
      const tokens = await shop.pieces(version, 4);
      const holders = await Promise.all(tokens.map(given));
      const [begun, next] = tokens.filter((_, n) => holders[n]?.operatorId === one?.id);
      if (!one || !other || !begun || !next) throw new Error('Four are two for each of two');
      await shop.keyed(one.api).post(`/api/production/tokens/${begun.id}/start`, { mode: 'own' }, 200);
      const pin = {
        scope: 'node',
        graphId: version.graphId,
        nodeCode: 'CUT',
        assignee: { type: 'operator', id: other.id },
      };
      await supervisor.put('/api/assignment/pins', pin, 200, pinView);
      const heard = async () => {
        const [row] = await shop.api.rows<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM platform.outbox WHERE published_at IS NULL`,
        );
        expect(row?.waiting).toBe(0);
        expect(await shop.api.app.get(Queues).counts('production')).toMatchObject({ waiting: 0, active: 0 });
      };
      await eventually(heard, 10_000);
      expect(await given(next)).toEqual({ method: 'AUTO', operatorId: one.id });
      await supervisor.put('/api/assignment/pins', { ...pin, applyToRunning: true }, 200, pinView);
      await eventually(async () => {
        expect(await given(next)).toEqual({ method: 'PIN', operatorId: other.id });
      }, 10_000);
      expect(await given(begun)).toEqual({ method: 'AUTO', operatorId: one.id });
    });

    it('hears who left a team or was deactivated', async () => {
      const [left, gone] = await shop.workers(2);
      if (!left || !gone) throw new Error('There are two');
      await shop.admin.delete(`/api/directory/teams/${shop.team.id}/members/${left.id}`);
      const path = `/api/directory/accounts/${gone.id}/deactivation`;
      expect(await outcome(shop.keyed(shop.admin), 'POST', path)).toBe('200');
      await eventually(async () => {
        const rows = await shop.api.rows<{ id: string; reason: string }>(
          `SELECT operator_id AS id, reason FROM assignment.operator_state WHERE NOT is_available AND operator_id = ANY ($1)`,
          [[left.id, gone.id]],
        );
        expect(new Map(rows.map(({ id, reason }) => [id, reason]))).toEqual(
          new Map([
            [left.id, 'inactive'],
            [gone.id, 'inactive'],
          ]),
        );
      }, 20_000);
    });

    it('leaves nobody at work who went on leave while they began', async () => {
      const manager = await newHolder(shop.api, shop.admin, 'manager', shop.site.id);
      const crowd = await shop.workers(6);
      const tokens = await shop.pieces(
        await shop.linear(operation('TRIM', { assignmentPolicy: 'PLANNED_ONLY' })),
        crowd.length,
      );
      const outcomes = await Promise.all(
        crowd.map(async (one, n) => {
          const token = tokens[n]?.id ?? '';
          const mine = { tokenIds: [token], operatorId: one.id };
          expect(await outcome(shop.keyed(supervisor), 'POST', '/api/production/assignments', mine)).toBe('200');
          const leave = await shop
            .keyed(one.api)
            .post(
              '/api/assignment/leave-requests',
              { leaveType: 'sick', from: new Date(), until: new Date(Date.now() + 3_600_000) },
              201,
              leaveView,
            );
          const path = `/api/assignment/leave-requests/${leave.id}/approve`;
          const [begun, approved] = await Promise.all([
            outcome(shop.keyed(one.api), 'POST', `/api/production/tokens/${token}/start`, { mode: 'own' }),
            outcome(shop.keyed(manager), 'POST', path),
          ]);
          return [begun, approved];
        }),
      );
      for (const [begun, approved] of outcomes) {
        expect(approved).toBe('200');
        expect(['200', '409 operator-unavailable']).toContain(begun);
      }
      await eventually(async () => {
        const working = await shop.api.rows(
          `SELECT FROM production.token_work_session WHERE operator_id = ANY ($1) AND status = 'active'`,
          [crowd.map(({ id }) => id)],
        );
        expect(working).toHaveLength(0);
      }, 20_000);
    });
  });
});
