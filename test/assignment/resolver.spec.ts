import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Decision, WorkQuestion } from '@belay/production';
import { Eligibility } from '../../libs/assignment/src/resolver/eligibility.service.js';
import { Snapshots } from '../../libs/assignment/src/resolver/snapshots.service.js';
import type { Workshop } from '../production/workshop.js';
import { DecisionRoom, later, noon, openWorkshop, operatorOf } from './decision-room.js';

const spread = (ids: readonly (string | null)[], people: readonly string[], before: readonly number[]) =>
  people.map((id, index) => (before[index] ?? 0) + ids.filter((one) => one === id).length);
type Skills = 'warn' | 'block' | 'off';

const difference = (loads: readonly number[]) => Math.max(...loads) - Math.min(...loads);

describe('the resolver on a database', () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await openWorkshop();
  });
  afterAll(() => shop.close());

  const first = async (room: DecisionRoom, facts = {}): Promise<Decision> => {
    const [decision] = await room.ask(await room.tokens(1), facts);
    if (!decision) throw new Error('One token has one decision');
    return decision;
  };
  const plan = (room: DecisionRoom, scope: 'token' | 'job_node' | 'node' | 'job', mode: string, facts: object) => {
    const table = {
      token: 'token_pin',
      job_node: 'assignment_plan_job',
      job: 'assignment_plan_job',
      node: 'assignment_plan_node',
    };
    const row = {
      id: crypto.randomUUID(),
      ...(scope === 'token' ? { pinned_by: room.jobId } : { created_by: room.jobId, mode }),
      ...(scope === 'node' && { graph_id: room.node.graphId }),
      ...((scope === 'job' || scope === 'job_node') && { job_ticket_id: room.jobId }),
      ...((scope === 'node' || scope === 'job_node') && { node_code: 'SEW' }),
      assignee_type: 'operator',
      unavailable_policy: mode === 'PIN' ? 'WAIT' : 'NEXT',
      ...facts,
    };
    const columns = Object.keys(row);
    return shop.api.rows(
      `INSERT INTO assignment.${table[scope]} (${columns.join(', ')})
       SELECT ${columns.join(', ')} FROM jsonb_populate_record(NULL::assignment.${table[scope]}, $1)`,
      [JSON.stringify(row)],
    );
  };

  describe('balances', () => {
    it('what people have over all nodes, idle ones too', async () => {
      const room = await DecisionRoom.in(shop);
      const people = await room.hands(3);
      await room.busy(people[0] ?? '', 2);
      await room.busy(people[2] ?? '', 1);
      const loads = spread(await room.give(await room.tokens(10)), people, [2, 0, 1]);
      expect(loads.reduce((sum, load) => sum + load, 0)).toBe(13);
      expect(difference(loads)).toBeLessThanOrEqual(1);
    });

    it('as well when two batches come at once', async () => {
      const room = await DecisionRoom.in(shop);
      const people = await room.hands(3);
      await room.busy(people[0] ?? '', 2);
      await room.busy(people[2] ?? '', 1);
      const batches = [await room.tokens(5), await room.tokens(5)];
      const given = (await Promise.all(batches.map((tokens) => room.give(tokens)))).flat();
      expect(difference(spread(given, people, [2, 0, 1]))).toBeLessThanOrEqual(1);
    });

    it('not by what is over, rejected or was finished', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = ''] = await room.hands(2);
      for (const status of ['completed', 'cancelled', 'rejected']) await room.busy(a, 2, { status });
      await room.busy(b, 1);
      expect(await room.give(await room.tokens(1))).toEqual([a]);
    });

    it('by a round that outlives the process', async () => {
      const room = await DecisionRoom.in(shop);
      const [a, b, c] = await room.hands(3);
      const rounds = () =>
        shop.api.rows(`SELECT last_operator_id AS last FROM assignment.round_robin WHERE team_id = $1`, [room.teamId]);
      expect((await room.ask(await room.tokens(2))).map(operatorOf)).toEqual([a, b]);
      expect(await rounds()).toEqual([{ last: b }]);
      expect((await room.ask(await room.tokens(2))).map(operatorOf)).toEqual([c, a]);
    });

    it('by who is usually faster, once that was seen five times in thirty days', async () => {
      const room = await DecisionRoom.in(shop);
      const [, b = ''] = await room.hands(2);
      const visits = async (count: number, at: Date) => {
        const tokens = await room.tokens(count);
        await shop.api.rows(
          `INSERT INTO production.token_node_visit (id, token_id, node_id, visit_no, entered_at, completed_at, left_at, outcome,
                                                    work_seconds, operator_id)
           SELECT gen_random_uuid(), id, $2, 1, $3, $3, $3, 'moved', 600, $4 FROM unnest($1::uuid[]) AS id`,
          [tokens.map(({ id }) => id), room.node.id, at, b],
        );
      };
      await visits(4, later(-10));
      await visits(1, later(-30 * 24 * 60));
      expect(await first(room)).toMatchObject({ reasonCode: 'AUTO_ROUND_ROBIN' });
      await visits(1, later(-30 * 24 * 60 + 11));
      // It is looked at again after ten minutes.
      expect(await first(room, { at: later(9) })).toMatchObject({ reasonCode: 'AUTO_ROUND_ROBIN' });
      const decision = await first(room, { at: later(10) });
      expect(decision).toMatchObject({
        reasonCode: 'AUTO_TIE_CYCLE',
        reasonText: 'sewing; 0 open, usually done soonest of 2',
      });
      expect(operatorOf(decision)).toBe(b);
    });

    it('up to what somebody can do on a day of the site', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1, { capacity: 2 });
      // Midnight in Tokyo is 15:00 of the day before.
      await room.busy(a, 1, { at: new Date('2025-11-19T14:59:59Z') });
      await room.busy(a, 1, { at: new Date('2025-11-19T15:00:00Z') });
      expect(operatorOf(await first(room))).toBe(a);
      await room.busy(a, 1, { at: later(-1) });
      expect(await first(room)).toMatchObject({
        decision: 'QUEUED',
        queueReason: 'TEAM_UNAVAILABLE',
        reasonCode: 'ALL_UNAVAILABLE',
      });
      expect(operatorOf(await first(room, { at: new Date('2025-11-20T15:00:00Z') }))).toBe(a);
    });
  });

  describe('knows who is there', () => {
    it('by leave, to the moment it ends', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await room.leave(a, later(-60), later(60));
      expect(await first(room)).toMatchObject({ decision: 'QUEUED', queueReason: 'TEAM_UNAVAILABLE' });
      expect(operatorOf(await first(room, { at: new Date(later(60).getTime() - 1) }))).toBeNull();
      expect(operatorOf(await first(room, { at: later(60) }))).toBe(a);
    });

    it('by the roster of the shift, a night being of the day it began on', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await room.roster(a, '2025-11-20', 'evening', 'off');
      await room.roster(a, '2025-11-20', 'night', 'sick');
      await room.roster(a, '2025-11-21', 'full', 'overtime');
      // 13:59 and 14:00 in Tokyo, then 05:59 and 06:00 of the next day.
      const at = ['2025-11-20T04:59:00Z', '2025-11-20T05:00:00Z', '2025-11-20T20:59:00Z', '2025-11-20T21:00:00Z'];
      const there = [];
      for (const time of at) there.push(operatorOf(await first(room, { at: new Date(time) })) === a);
      expect(there).toEqual([true, false, false, true]);
      expect(operatorOf(await first(room, { at: new Date('2025-11-20T12:00:00Z'), flags: { enforced: false } }))).toBe(
        a,
      );
    });

    it('by hand, and by the team', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      const override = (until: Date | null) =>
        shop.api.rows(
          `INSERT INTO assignment.operator_override (operator_id, is_available, unavailable_until, set_by) VALUES ($1, false, $2, $1)
           ON CONFLICT (operator_id) DO UPDATE SET unavailable_until = excluded.unavailable_until`,
          [a, until],
        );
      await override(null);
      expect(operatorOf(await first(room))).toBeNull();
      await override(noon);
      expect(operatorOf(await first(room))).toBe(a);
      await shop.api.rows(
        `INSERT INTO assignment.team_availability (team_id, day, is_available) VALUES ($1, '2025-11-20', false)`,
        [room.teamId],
      );
      expect(operatorOf(await first(room))).toBeNull();
      expect(operatorOf(await first(room, { at: later(24 * 60) }))).toBe(a);
    });

    it('by the account and the membership', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = '', c = ''] = await room.hands(3);
      await shop.api.rows(`UPDATE directory.account SET status = 'suspended' WHERE id = $1`, [a]);
      await shop.api.rows(`UPDATE directory.team_member SET active = false WHERE account_id = $1`, [b]);
      expect((await room.ask(await room.tokens(3))).map(operatorOf)).toEqual([c, c, c]);
    });

    it('and who has the skills, on the day at the site', async () => {
      const room = await DecisionRoom.in(shop, {
        requiredSkills: [{ skillCode: 'LOCK', minLevel: 3, required: true }],
      });
      const [a = '', b = ''] = await room.hands(2);
      await room.skill(a, 'LOCK', 2);
      await room.skill(b, 'LOCK', 3, '2025-11-20');
      expect(operatorOf(await first(room))).toBe(b);
      // In Tokyo the next day has begun.
      expect(await first(room, { at: new Date('2025-11-20T15:00:00Z') })).toMatchObject({ reasonCode: 'NO_SKILL' });
    });
  });

  describe('follows what people decided', () => {
    it.each([
      ['token', 'PIN'],
      ['job_node', 'PIN'],
      ['node', 'PIN'],
      ['job', 'PIN'],
      ['job_node', 'PLAN'],
      ['node', 'PLAN'],
      ['job', 'PLAN'],
    ] as const)('for a %s by %s', async (scope, mode) => {
      const room = await DecisionRoom.in(shop);
      const people = await room.hands(2);
      const [, target = ''] = people;
      const [token] = await room.tokens(1);
      if (!token) throw new Error('A token was made');
      await room.busy(target, 3);
      await plan(room, scope, mode, { assignee_id: target, ...(scope === 'token' && { token_id: token.id }) });
      const [decision] = await room.ask([token]);
      expect(decision).toMatchObject({ method: mode, tier: scope, assignee: { type: 'operator', operatorId: target } });
    });

    it('only while it is in force', async () => {
      const room = await DecisionRoom.in(shop);
      const [b = ''] = await room.hands(2);
      await plan(room, 'node', 'PLAN', { assignee_id: b, valid_from: noon, valid_to: later(60) });
      const at = [later(-1), noon, new Date(later(60).getTime() - 1), later(60)];
      const got = [];
      for (const time of at) got.push((await first(room, { at: time })).method);
      expect(got).toEqual(['AUTO', 'PLAN', 'PLAN', 'AUTO']);
      await shop.api.rows(`UPDATE assignment.assignment_plan_node SET active = false WHERE assignee_id = $1`, [b]);
      expect(await first(room)).toMatchObject({ method: 'AUTO' });
    });

    it('by priority, and as if all had the same while that column is taken back', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = ''] = await room.hands(2);
      await plan(room, 'node', 'PLAN', { id: '00000000-0000-4000-8000-000000000001', assignee_id: a, priority: 200 });
      await plan(room, 'node', 'PLAN', { id: '00000000-0000-4000-8000-000000000002', assignee_id: b, priority: 100 });
      expect(operatorOf(await first(room))).toBe(b);
      const rename = (from: string, to: string) =>
        shop.api.rows(`ALTER TABLE assignment.assignment_plan_node RENAME COLUMN ${from} TO ${to}`);
      await rename('priority', 'priority__parked');
      try {
        expect(operatorOf(await first(room))).toBe(a);
      } finally {
        await rename('priority__parked', 'priority');
      }
    });
  });

  it('tells when somebody is back for whom a token waits', async () => {
    const room = await DecisionRoom.in(shop);
    const [a = '', b = ''] = await room.hands(2);
    await room.leave(a, later(-60), later(48 * 60));
    await room.roster(b, '2025-11-20', 'full', 'off');
    const tokens = await room.tokens(1);
    const back = () => room.inTransaction((tx) => room.policy.nextStart(tx, tokens, room.node, noon));
    // What is off on a day is over when the night shift of it is: at six in Tokyo.
    expect([...(await back()).values()]).toEqual([new Date('2025-11-20T21:00:00Z')]);
    await plan(room, 'token', 'PIN', { assignee_id: a, token_id: tokens[0]?.id });
    expect([...(await back()).values()]).toEqual([later(48 * 60)]);
    await shop.api.rows(
      `INSERT INTO assignment.operator_override (operator_id, is_available, set_by) VALUES ($1, false, $1)`,
      [a],
    );
    expect((await back()).size).toBe(0);
  });

  describe('lets somebody work', () => {
    const needs = { requiredSkills: [{ skillCode: 'LOCK', minLevel: 2, required: true }] };
    const may = async (
      room: DecisionRoom,
      operatorId: string,
      facts: Partial<WorkQuestion> = {},
      skills: Skills = 'warn',
    ) => {
      const config = { ...shop.api.config, ASSIGNMENT_SKILLS_ON_START: skills };
      const eligibility = new Eligibility(config, shop.api.app.get(Snapshots, { strict: false }));
      const target = { type: 'operator', operatorId, teamId: null } as const;
      const question = { node: room.node, target, act: 'start', at: noon, confirmed: false, actorId: null } as const;
      const tokens = await room.tokens(1);
      return room.inTransaction((tx) =>
        eligibility.mayWork(tx, { ...question, tokens, flags: { enforced: true }, ...facts }),
      );
    };

    it('who is there, and who is away only when somebody confirms it', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = '', b = ''] = await room.hands(2);
      await room.leave(a, later(-60), later(60));
      expect(await may(room, b)).toEqual({ allowed: true, warnings: [] });
      const away = {
        allowed: false,
        because: 'operator-unavailable',
        reason: 'leave',
        until: later(60),
        confirmable: true,
      };
      expect(await may(room, a)).toEqual(away);
      expect(await may(room, a, { confirmed: true })).toEqual({
        allowed: true,
        warnings: ['operator_unavailable_leave'],
      });
      expect(await may(room, a, { at: later(60) })).toEqual({ allowed: true, warnings: [] });
    });

    it('who is an operator, whatever anybody confirms', async () => {
      const room = await DecisionRoom.in(shop);
      const [a = ''] = await room.hands(1);
      await shop.api.rows(`UPDATE directory.account SET status = 'suspended' WHERE id = $1`, [a]);
      const refused = { allowed: false, reason: 'inactive', confirmable: false };
      expect(await may(room, a)).toMatchObject(refused);
      expect(await may(room, a, { confirmed: true })).toMatchObject(refused);
    });

    it('who has the skills: others are warned, kept from it or let be, as is set', async () => {
      const room = await DecisionRoom.in(shop, needs);
      const [a = '', b = ''] = await room.hands(2);
      await room.skill(a, 'LOCK', 2, '2025-11-20');
      for (const setting of ['warn', 'block', 'off'] as const) {
        expect(await may(room, a, {}, setting)).toEqual({ allowed: true, warnings: [] });
      }
      expect(await may(room, b)).toEqual({ allowed: true, warnings: ['skill_missing'] });
      expect(await may(room, b, {}, 'block')).toEqual({ allowed: false, because: 'skill-missing', skill: 'LOCK' });
      expect(await may(room, b, {}, 'off')).toEqual({ allowed: true, warnings: [] });
      // Whoever assigns by hand knows what they do.
      expect(await may(room, b, { act: 'assign' }, 'block')).toEqual({ allowed: true, warnings: [] });
    });

    it('of a team, whoever will claim it', async () => {
      const room = await DecisionRoom.in(shop);
      const target = { type: 'team', teamId: room.teamId, operatorId: null } as const;
      expect(await may(room, '', { target })).toEqual({ allowed: true, warnings: [] });
    });
  });

  it('counts those who could do the work', async () => {
    const room = await DecisionRoom.in(shop);
    const people = await room.hands(3);
    const second = await room.team();
    await room.join(people[0] ?? '', { team: second });
    await room.hands(1, { role: 'trainee' });
    await room.leave(people[2] ?? '', later(-1), later(1));
    expect(await room.inTransaction((tx) => room.policy.headcount(tx, room.node, room.siteId, noon))).toBe(2);
  });

  it('needs as many statements for a thousand tokens as for one', async () => {
    const room = await DecisionRoom.in(shop);
    await room.hands(5);
    // The first one also reads how fast people are.
    expect(await room.statements(await room.tokens(1))).toBe(5);
    expect(await room.statements(await room.tokens(1))).toBe(4);
    expect(await room.statements(await room.tokens(200))).toBe(4);
  });
});
