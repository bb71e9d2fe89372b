import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment, leaveView, rosterView, teamDaysView, type LeaveView } from '@belay/assignment';
import { Caller, Database, listOf } from '@belay/platform';
import { OperatorStates } from '../../libs/assignment/src/state/operator-states.service.js';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Workshop, type Worker } from '../production/workshop.js';

const path = '/api/assignment/leave-requests';
const HOUR = 3_600_000;
const at = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString();

describe('being there', () => {
  let shop: Workshop;
  let manager: TestApi;
  let supervisor: TestApi;
  beforeAll(async () => {
    shop = await Workshop.open({}, assignment);
    manager = await newHolder(shop.api, shop.admin, 'manager', shop.site.id);
    supervisor = await newHolder(shop.api, shop.admin, 'supervisor', shop.site.id);
  });
  afterAll(() => shop.close());

  const asked = (worker: Worker, from: string, until: string): Promise<LeaveView> =>
    shop.keyed(worker.api).post(path, { leaveType: 'vacation', from, until }, 201, leaveView);
  const settle = (api: TestApi, { id }: LeaveView, how: string) =>
    outcome(shop.keyed(api), 'POST', `${path}/${id}/${how}`);
  const approved = async (worker: Worker, from: string, until: string): Promise<LeaveView> => {
    const leave = await asked(worker, from, until);
    return shop.keyed(manager).post(`${path}/${leave.id}/approve`, undefined, 200, leaveView);
  };
  const announced = async ({ id }: Worker) =>
    (
      await shop.api.rows<{ name: string; reason: string | null }>(
        `SELECT name, body ->> 'reason' AS reason FROM platform.outbox
         WHERE name LIKE 'assignment.operator-%' AND body ->> 'operatorId' = $1 ORDER BY id`,
        [id],
      )
    ).map(({ name, reason }) => (reason === null ? name : `${name} ${reason}`));
  const state = async ({ id }: Worker) => {
    const [row] = await shop.api.rows<{ is_available: boolean; reason: string | null }>(
      `SELECT is_available, reason FROM assignment.public_operator_state WHERE operator_id = $1`,
      [id],
    );
    return row;
  };
  const look = () =>
    shop.api.app
      .get(Database)
      .transaction(Caller.system('look'), (tx) =>
        shop.api.app.get(OperatorStates, { strict: false }).refresh(tx, null),
      );

  describe('leave', () => {
    it('that was approved keeps somebody from work at once, and says so once, however often it is looked at', async () => {
      const worker = await shop.worker();
      await approved(worker, at(-1), at(8));
      await look();
      await look();
      expect(await announced(worker)).toEqual(['assignment.operator-unavailable leave']);
      expect(await state(worker)).toEqual({ is_available: false, reason: 'leave' });
    });

    it('that begins later is announced when it begins, and its end when it ends', async () => {
      const worker = await shop.worker();
      const leave = await approved(worker, at(2), at(8));
      await look();
      expect(await announced(worker)).toEqual([]);
      const move = (from: number, until: number) =>
        shop.api.rows(
          `UPDATE assignment.leave_request
           SET period = tstzrange(now() + make_interval(hours => $2), now() + make_interval(hours => $3)) WHERE id = $1`,
          [leave.id, from, until],
        );
      await move(-1, 1);
      await look();
      await move(-2, -1);
      await look();
      expect(await announced(worker)).toEqual([
        'assignment.operator-unavailable leave',
        'assignment.operator-available',
      ]);
    });

    it('that runs can be ended early and not taken back; the person is there again', async () => {
      const worker = await shop.worker();
      const leave = await approved(worker, at(-1), at(8));
      expect(await settle(worker.api, leave, 'cancel')).toBe('409 leave-running');
      expect(await settle(worker.api, leave, 'end')).toBe('403 permission-missing');
      const ended = await shop.keyed(manager).post(`${path}/${leave.id}/end`, undefined, 200, leaveView);
      expect(Date.parse(ended.until)).toBeLessThanOrEqual(Date.now() + 5_000);
      expect(await announced(worker)).toEqual([
        'assignment.operator-unavailable leave',
        'assignment.operator-available',
      ]);
      expect(await settle(manager, leave, 'end')).toBe('409 leave-state');
    });

    it('of one person is never approved twice for the same time; where one ends, the next may begin', async () => {
      const worker = await shop.worker();
      const [from, noon, until] = [at(24), at(28), at(32)];
      const first = await approved(worker, from, noon);
      const over = await asked(worker, at(27), until);
      const refused = await shop.keyed(manager).send('POST', `${path}/${over.id}/approve`);
      expect([refused.statusCode, refused.json()]).toEqual([
        409,
        expect.objectContaining({ code: 'leave-overlap', other: { id: first.id, from, until: noon } }),
      ]);
      const next = await asked(worker, noon, until);
      const twins = await Promise.all([1, 2, 3].map(() => asked(worker, noon, until)));
      const outcomes = await Promise.all([next, ...twins].map((leave) => settle(manager, leave, 'approve')));
      expect(outcomes.sort()).toEqual(['200', '409 leave-overlap', '409 leave-overlap', '409 leave-overlap']);
    });

    it('is rejected or approved once, and taken back until it begins', async () => {
      const worker = await shop.worker();
      const rejected = await asked(worker, at(1), at(2));
      expect(await settle(manager, rejected, 'reject')).toBe('200');
      for (const how of ['approve', 'reject', 'cancel', 'end']) {
        expect(await settle(manager, rejected, how)).toBe('409 leave-state');
      }
      const taken = await approved(worker, at(1), at(2));
      expect(await settle(worker.api, taken, 'cancel')).toBe('200');
      expect(await settle(manager, taken, 'end')).toBe('409 leave-state');
    });

    it('is asked for by oneself, decided by somebody else, and not seen by strangers', async () => {
      const worker = await shop.worker();
      const other = await shop.worker();
      const leave = await asked(worker, at(1), at(2));
      const elsewhere = await newHolder(shop.api, shop.admin, 'manager', (await newSite(shop.admin)).id);
      expect(await settle(worker.api, leave, 'approve')).toBe('403 permission-missing');
      expect(await settle(other.api, leave, 'cancel')).toBe('404 leave-not-found');
      expect(await settle(elsewhere, leave, 'approve')).toBe('404 leave-not-found');
      const body = { operatorId: worker.id, leaveType: 'sick', from: at(1), until: at(2) };
      expect(await outcome(shop.keyed(other.api), 'POST', path, body)).toBe('403 permission-missing');
      const ids = async (api: TestApi) =>
        (await api.get(`${path}?operatorId=${worker.id}`, 200, listOf(leaveView))).items.map(({ id }) => id);
      expect(await ids(worker.api)).toEqual([leave.id]);
      expect(await ids(manager)).toEqual([leave.id]);
      expect(await ids(other.api)).toEqual([]);
      expect(await ids(elsewhere)).toEqual([]);
      const boss = await shop.worker({ role: 'manager' });
      const own = await shop.keyed(boss.api).post(path, { ...body, operatorId: boss.id }, 403);
      expect(own).toMatchObject({ code: 'permission-missing' });
    });

    it('ends after it begins, and within a year', async () => {
      const worker = await shop.worker();
      const ask = (from: string, until: string) =>
        outcome(shop.keyed(worker.api), 'POST', path, { leaveType: 'other', from, until });
      const from = at(1);
      const after = (ms: number) => new Date(Date.parse(from) + ms).toISOString();
      expect(await ask(from, from)).toBe('422 invalid-request');
      expect(await ask(from, after(1))).toBe('201');
      expect(await ask(from, after(366 * 24 * HOUR))).toBe('201');
      expect(await ask(from, after(366 * 24 * HOUR + 1))).toBe('422 invalid-request');
    });
  });

  describe('an override', () => {
    const override = (worker: Worker, body: object) =>
      supervisor.put(`/api/assignment/operators/${worker.id}/override`, body, 200, rosterView);

    it('takes somebody out at once, until its instant and not a moment longer, and is lifted', async () => {
      const worker = await shop.worker();
      await override(worker, { isAvailable: false, reasonCode: 'first-aid' });
      expect(await state(worker)).toEqual({ is_available: false, reason: 'override' });
      const until = new Date().toISOString();
      await override(worker, { isAvailable: false, unavailableUntil: until });
      expect(await state(worker)).toEqual({ is_available: true, reason: null });
      await override(worker, { isAvailable: false, unavailableUntil: at(1) });
      await override(worker, { isAvailable: true });
      expect(await announced(worker)).toEqual([
        'assignment.operator-unavailable override',
        'assignment.operator-available',
        'assignment.operator-unavailable override',
        'assignment.operator-available',
      ]);
    });

    it('gives way to leave, whose beginning is news', async () => {
      const worker = await shop.worker();
      await override(worker, { isAvailable: false });
      await approved(worker, at(-1), at(1));
      expect(await announced(worker)).toEqual([
        'assignment.operator-unavailable override',
        'assignment.operator-unavailable leave',
      ]);
    });
  });

  describe('rosters', () => {
    /** The night shift belongs to the day on which it began. */
    const now = () =>
      [0, -24].map((hours) => new Date(at(hours)).toLocaleDateString('en-CA', { timeZone: 'Europe/London' }));
    const roster = (worker: Worker, days: object[]) =>
      supervisor.put(`/api/assignment/operators/${worker.id}/availability`, { days }, 200, rosterView);

    it('keep somebody from work on their day, count overtime as there, and block nobody by saying nothing', async () => {
      const worker = await shop.worker();
      const full = (status: string | null) =>
        roster(
          worker,
          now().map((day) => ({ day, shift: 'full', status })),
        );
      await full('off');
      expect(await state(worker)).toEqual({ is_available: false, reason: 'off' });
      await full('overtime');
      expect(await state(worker)).toEqual({ is_available: true, reason: null });
      await full('sick');
      expect(await state(worker)).toEqual({ is_available: false, reason: 'sick' });
      expect((await full(null)).days).toEqual([]);
      expect(await state(worker)).toEqual({ is_available: true, reason: null });
    });

    it('are set day by day and read back; what was not named stays', async () => {
      const worker = await shop.worker();
      await roster(worker, [
        { day: '2031-03-03', shift: 'morning', status: 'work' },
        { day: '2031-03-04', shift: 'full', status: 'off' },
      ]);
      await roster(worker, [{ day: '2031-03-04', shift: 'full', status: 'leave' }]);
      const read = await supervisor.get(
        `/api/assignment/operators/${worker.id}/availability?from=2031-03-01&to=2031-03-31`,
        200,
        rosterView,
      );
      expect(read.days).toEqual([
        { day: '2031-03-03', shift: 'morning', status: 'work', source: 'local' },
        { day: '2031-03-04', shift: 'full', status: 'leave', source: 'local' },
      ]);
      const twice = { day: '2031-03-03', shift: 'night', status: 'work' };
      const put = (api: TestApi, days: object[]) =>
        outcome(api, 'PUT', `/api/assignment/operators/${worker.id}/availability`, { days });
      expect(await put(supervisor, [twice, twice])).toBe('422 invalid-request');
      expect(await put(worker.api, [twice])).toBe('403 permission-missing');
    });

    it('of a team say on which days it works', async () => {
      const team = await shop.newTeam();
      const set = { days: [{ day: '2031-12-25', isAvailable: false, reason: 'Christmas' }] };
      await supervisor.put(`/api/assignment/teams/${team.id}/availability`, set, 200, teamDaysView);
      const read = () =>
        supervisor.get(
          `/api/assignment/teams/${team.id}/availability?from=2031-12-01&to=2031-12-31`,
          200,
          teamDaysView,
        );
      expect(await read()).toEqual({ teamId: team.id, days: set.days });
      const [news] = await shop.api.rows(
        `SELECT body FROM platform.outbox WHERE name = 'assignment.plan-changed' ORDER BY id DESC LIMIT 1`,
      );
      expect(news).toEqual({ body: { scope: 'unassigned', ids: {}, applyToRunning: false } });
      const gone = { days: [{ day: '2031-12-25', isAvailable: null }] };
      await supervisor.put(`/api/assignment/teams/${team.id}/availability`, gone, 200, teamDaysView);
      expect((await read()).days).toEqual([]);
    });
  });

  it('ends with the membership: whoever is in no active team is unavailable', async () => {
    const worker = await shop.worker();
    await look();
    await shop.admin.delete(`/api/directory/teams/${shop.team.id}/members/${worker.id}`);
    await look();
    expect(await announced(worker)).toEqual(['assignment.operator-unavailable inactive']);
  });
});
