import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment, peopleMonitor, workloadView, type PeopleMonitor, type WorkloadView } from '@belay/assignment';
import { listOf, RUNTIME, type Runtime } from '@belay/platform';
import type { VersionItem } from '@belay/production';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { operation, Workshop, type Worker } from '../production/workshop.js';

const monitorPath = '/api/assignment/people-monitor';

describe('the people of a plant', () => {
  let shop: Workshop;
  let supervisor: TestApi;
  let graph: VersionItem;
  beforeAll(async () => {
    shop = await Workshop.open({}, assignment);
    supervisor = await newHolder(shop.api, shop.admin, 'supervisor', shop.site.id);
    // Nobody is chosen by rule here: who has what is said.
    graph = await shop.linear(operation('SEW', { assignmentPolicy: 'PLANNED_ONLY' }));
  });
  afterAll(() => shop.close());

  /** A team of its own, whose people are given so many tokens each. */
  const teamWith = async (loads: readonly number[], details: object = {}) => {
    const team = await shop.newTeam({ teamCategory: 'general', ...details });
    const workers: Worker[] = [];
    for (const load of loads) {
      const worker = await shop.worker({ team: team.id });
      workers.push(worker);
      if (load === 0) continue;
      const tokens = await shop.pieces(graph, load);
      await give(
        tokens.map(({ id }) => id),
        worker,
      );
    }
    return { team, workers };
  };
  const give = (tokenIds: string[], { id }: Worker) =>
    shop.keyed(supervisor).post('/api/production/assignments', { tokenIds, operatorId: id }, 200);
  const workload = (teamId: string, api = supervisor): Promise<WorkloadView> =>
    api.get(`/api/assignment/teams/${teamId}/workload`, 200, workloadView);
  const away = (worker: Worker) =>
    supervisor.put(`/api/assignment/operators/${worker.id}/override`, { isAvailable: false });

  describe('and the work of a team', () => {
    it.each([
      [[5, 4, 4], 0.471, 10.3],
      [[6, 2, 1], 2.16, 66.7],
      [[0, 0], 0, 0],
    ])('lies on them as %j: sigma %d, drift %d %%', async (loads, sigma, drift) => {
      const { team } = await teamWith(loads);
      const view = await workload(team.id);
      expect(view.people.map(({ load }) => load)).toEqual(loads);
      expect(Math.round(view.sigma * 1_000) / 1_000).toBe(sigma);
      expect(Math.round(view.drift * 1_000) / 10).toBe(drift);
    });

    it('counts who is idle, and not who is away', async () => {
      const { team, workers } = await teamWith([2, 0, 3]);
      expect((await workload(team.id)).mean).toBeCloseTo(5 / 3);
      const [, , third] = workers;
      if (third) await away(third);
      const view = await workload(team.id);
      expect(view.people.map(({ available, open }) => [available, open])).toEqual([
        [true, 2],
        [true, 0],
        [false, 3],
      ]);
      expect(view.mean).toBe(1);
    });

    it('is a figure to watch', async () => {
      const { team } = await teamWith([2, 0]);
      const text = await shop.api.app.get<Runtime>(RUNTIME).metrics.getSingleMetricAsString('team_load_variance');
      expect(text).toContain(`team_load_variance{team="${team.code}"} 1`);
    });

    it('is counted in the measure of the team', async () => {
      const { team } = await teamWith([2], { loadMode: 'combined' });
      expect((await workload(team.id)).people.map(({ load }) => load)).toEqual([20]);
    });

    it('is seen by who leads it, and by the supervisors of its site, in pages', async () => {
      const { team, workers } = await teamWith([1]);
      const [member] = workers;
      const lead = await shop.worker({ team: team.id, part: { role: 'lead' } });
      const elsewhere = await newHolder(shop.api, shop.admin, 'supervisor', (await newSite(shop.admin)).id);
      const path = `/api/assignment/teams/${team.id}/workload`;
      expect(await outcome(lead.api, 'GET', path)).toBe('200');
      expect(member && (await outcome(member.api, 'GET', path))).toBe('403 permission-missing');
      expect(await outcome(elsewhere, 'GET', path)).toBe('403 permission-missing');
      expect(member && (await outcome(member.api, 'GET', '/api/assignment/workloads'))).toBe('403 permission-missing');
      const teamsOf = async (api: TestApi) =>
        (await api.get('/api/assignment/workloads?limit=50', 200, listOf(workloadView))).items.map(
          ({ teamId }) => teamId,
        );
      expect(await teamsOf(lead.api)).toEqual([team.id]);
      expect(await teamsOf(elsewhere)).toEqual([]);
      const all = await teamsOf(supervisor);
      expect(all).toContain(team.id);
      const first = await supervisor.get('/api/assignment/workloads?limit=2', 200, listOf(workloadView));
      const next = `/api/assignment/workloads?limit=50&cursor=${first.next ?? ''}`;
      const rest = await supervisor.get(next, 200, listOf(workloadView));
      expect([...first.items, ...rest.items].map(({ teamId }) => teamId)).toEqual(all);
    });
  });

  describe('and what they do', () => {
    const monitor = (query: string, api = supervisor): Promise<PeopleMonitor> =>
      api.get(`${monitorPath}?${query}`, 200, peopleMonitor);
    const act = (worker: Worker, tokenId: string | undefined, what: string, body?: object) =>
      shop.keyed(worker.api).post(`/api/production/tokens/${tokenId ?? ''}/${what}`, body, 200);

    it('is leave before all else, then absence, work, a pause, and being there; who works while away is warned about', async () => {
      const { team, workers } = await teamWith([0, 1, 1, 1, 0]);
      const [onLeave, absent, working, paused, there] = workers;
      if (!onLeave || !absent || !working || !paused || !there) throw new Error('There are five');
      const token = async (worker: Worker) => {
        const [row] = await shop.api.rows<{ id: string }>(
          `SELECT token_id AS id FROM production.token_assignment WHERE operator_id = $1`,
          [worker.id],
        );
        return row?.id;
      };
      for (const worker of [absent, working, paused]) await act(worker, await token(worker), 'start', { mode: 'own' });
      await act(paused, await token(paused), 'pause', { reason: 'break' });
      await away(absent);
      await shop.api.rows(
        `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, status, approved_by, created_by)
         VALUES (gen_random_uuid(), $1, 'sick', tstzrange(now() - interval '1 hour', now() + interval '1 hour'), 'approved', $1, $1)`,
        [onLeave.id],
      );
      const seen = await monitor(`teamId=${team.id}`);
      const of = ({ id }: Worker) => {
        const one = seen.items.find(({ person }) => person.id === id);
        return one && [one.status, one.reason, one.current?.status ?? null, one.warning];
      };
      expect(workers.map(of)).toEqual([
        ['leave', 'leave', null, null],
        ['unavailable', 'override', 'active', 'works-while-unavailable'],
        ['working', null, 'active', null],
        ['paused', null, 'paused', null],
        ['available', null, null, null],
      ]);
      expect(seen.counts).toEqual({ leave: 1, unavailable: 1, working: 1, paused: 1, available: 1 });
      const only = await monitor(`teamId=${team.id}&status=working`);
      expect(only.items.map(({ person }) => person.id)).toEqual([working.id]);
      expect(only.counts).toEqual(seen.counts);
    });

    it('is seen in pages, of one’s own team only by who leads it, and not by members', async () => {
      const { team, workers } = await teamWith([0, 0, 0]);
      const lead = await shop.worker({ team: team.id, part: { role: 'lead' } });
      const ids = [...workers, lead].map(({ id }) => id).sort();
      expect((await monitor('limit=200', lead.api)).items.map(({ person }) => person.id)).toEqual(ids);
      const first = await monitor(`teamId=${team.id}&limit=3`);
      const rest = await monitor(`teamId=${team.id}&limit=3&cursor=${first.next ?? ''}`);
      expect([...first.items, ...rest.items].map(({ person }) => person.id)).toEqual(ids);
      expect(rest.next).toBeNull();
      expect(await outcome(workers[0]?.api ?? supervisor, 'GET', monitorPath)).toBe('403 permission-missing');
    });

    it('is answered within 200 ms for 300 of them', async () => {
      const team = await shop.newTeam();
      await shop.api.rows(
        `WITH a AS (
           INSERT INTO directory.account (id, kind, username, display_name, row_version)
           SELECT gen_random_uuid(), 'person', 'crowd-' || n, 'Crowd', 1 FROM generate_series(1, 300) AS n RETURNING id)
         INSERT INTO directory.team_member (id, team_id, account_id, row_version)
         SELECT gen_random_uuid(), $1, id, 1 FROM a`,
        [team.id],
      );
      const times: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        const began = performance.now();
        const { counts } = await monitor(`teamId=${team.id}&limit=200`);
        times.push(performance.now() - began);
        expect(counts.available).toBe(300);
      }
      expect(Math.min(...times)).toBeLessThan(200);
    });
  });
});
