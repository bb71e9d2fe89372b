import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { Checks } from '../../libs/rollback/src/checks/checks.js';
import { judge, type CheckResult } from '../../libs/rollback/src/checks/verdict.rules.js';
import { hashOfDocument } from '../../libs/rollback/src/plans/plan-hash.rules.js';
import type { PlanTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { PlanRoom } from './plan-room.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

const phases = ['start', 'step'] as const;

/** What checks find, of which at least one that is critical does not pass. */
const findings = fc
  .uniqueArray(
    fc.record({
      number: fc.integer({ min: 1, max: 30 }),
      severity: fc.constantFrom('critical' as const, 'normal' as const),
      outcome: fc.constantFrom('pass' as const, 'fail' as const, 'inconclusive' as const, 'not-run' as const),
      bypassed: fc.boolean(),
    }),
    { selector: ({ number }) => number, minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(({ number, severity, outcome, bypassed }): CheckResult => ({
      id: `S${String(number).padStart(2, '0')}`,
      title: 'A check',
      severity,
      outcome,
      measured: { number },
      threshold: { number: 0 },
      evidence: {},
      recovery: outcome === 'pass' ? [] : [{ kind: 'ask', text: 'Ask somebody' }],
      bypassedBy: bypassed ? 'amina' : null,
    })),
  )
  .filter((all) => all.some(({ severity, outcome }) => severity === 'critical' && outcome !== 'pass'));

const refusal = z.object({
  phase: z.enum(phases),
  against: z.array(z.object({ id: z.string(), recovery: z.array(z.object({ text: z.string() })).min(1) })),
});
const told = z.object({ failure: refusal });

const lanes = 5;

describe('Feature: version-rollback, Property 3: whatever checks find, of which a critical one does not pass', () => {
  const rooms: RunRoom[] = [];
  beforeAll(async () => {
    for (let lane = 0; lane < lanes; lane += 1) rooms.push(await RunRoom.open(shelfActions, { sql: shelfSql }));
  }, 60_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('no action behind them is carried out, and the refusal lists every one of them with a way on', async () => {
    const now: { readonly results: readonly CheckResult[]; readonly phase: string }[] = [];
    for (const [lane, room] of rooms.entries()) {
      const run = ({ phase }: { readonly phase: string }) =>
        Promise.resolve(judge(phase === now[lane]?.phase ? now[lane].results : []));
      await room.host({ checks: { run } });
    }
    const one = fc.record({ results: findings, phase: fc.constantFrom(...phases) });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: lanes, maxLength: lanes }), async (cases) => {
        await Promise.all(
          rooms.map(async (room, lane) => {
            const { results, phase } = cases[lane] ?? { results: [], phase: 'start' };
            now[lane] = { results, phase };
            await refused(room, results, phase);
          }),
        );
      }),
      { numRuns: 100 / lanes, endOnFailure: true },
    );
  }, 120_000);
});

async function refused(room: RunRoom, results: readonly CheckResult[], phase: string): Promise<void> {
  const boxes = [
    { action: 'shelf.keep', input: { name: 'before' } },
    { action: 'shelf.risky', input: { name: 'behind' }, destructive: true },
  ];
  const { decision, against } = judge(results);
  const runId = await room.request(boxes);
  await room.becomes(runId, decision === 'refuse' ? 'compensated' : 'paused: inconclusive');
  expect(await room.effects(runId)).toEqual(phase === 'start' ? [] : ['put before']);
  const events = await room.events(runId);
  const failure =
    decision === 'refuse'
      ? told.parse(await room.result(runId)).failure
      : refusal.parse(events.find(({ type }) => type === 'run.paused')?.payload);
  expect(failure.phase).toBe(phase);
  expect(failure.against.map(({ id }) => id).toSorted()).toEqual(against.map(({ id }) => id).toSorted());
  expect(events.filter(({ type, payload }) => type === 'step.started' && payload['idx'] === 1)).toEqual([]);
  await room.rows(`TRUNCATE shelf.box, shelf.effect`);
  if (decision === 'refuse') return;
  await room.wish(runId, 'cancel');
  await room.becomes(runId, phase === 'start' ? 'cancelled' : 'compensated');
}

describe('Feature: version-rollback, Property 11: whatever state things are in', () => {
  let planning: PlanRoom;
  beforeAll(async () => {
    planning = await PlanRoom.open();
  }, 60_000);
  afterAll(() => planning.close());

  /** What others have done to the depot before somebody declares an emergency. */
  const state = fc.record({
    off: fc.subarray(['enable_depot', 'enable_stand', 'depot_priorities', 'platform_writes', 'emergency_rollback']),
    parked: fc.boolean(),
    atWork: fc.boolean(),
    drifted: fc.boolean(),
    nameless: fc.boolean(),
    target: fc.constantFrom<PlanTarget>(
      { kind: 'emergency', level: 'E1', domain: 'depot' },
      { kind: 'emergency', level: 'E1', domain: 'stand' },
      { kind: 'emergency', level: 'E2' },
    ),
  });

  it('an emergency makes every critical check and no other before its effects, switches off first, and touches no schema', async () => {
    const { room } = planning;
    const checks = new Checks(room.world);
    const flags = ['enable_depot', 'enable_stand', 'depot_priorities', 'platform_writes', 'emergency_rollback'];
    await fc.assert(
      fc.asyncProperty(state, async ({ off, parked, atWork, drifted, nameless, target }) => {
        const override = `SELECT control.override_flag('live', flag, flag = ANY ($1), 'a property', 'maria') FROM unnest($2::text[]) AS flag`;
        await room.control(override, [off, flags]);
        await room.control(
          `UPDATE control.lease SET holder = CASE WHEN $1 THEN gen_random_uuid() END, heartbeat_at = clock_timestamp() WHERE scope = 'live'`,
          [atWork],
        );
        if (nameless) await room.rows(`INSERT INTO depot.item (id, name) VALUES (1, '')`);
        if (drifted) await room.rows(`CREATE INDEX by_hand ON depot.item (qty)`);
        if (parked) await room.rows(`ALTER SCHEMA depot RENAME TO depot__parked`);

        const plan = await planning.draft(target);
        const subject = { planId: hashOfDocument(plan), plan, runId: null, acceptedBy: 'amina' } as const;
        const before = await checks.look({ ...subject, phase: 'start' });

        if (parked) await room.rows(`ALTER SCHEMA depot__parked RENAME TO depot`);
        await room.rows(`DROP INDEX IF EXISTS depot.by_hand; DELETE FROM depot.item`);

        const made = before.results.filter(({ bypassedBy }) => bypassedBy === null);
        expect(made.map(({ id }) => id)).toEqual(['S01', 'S02', 'S03', 'S05', 'S25', 'S28']);
        for (const { id, severity, outcome, bypassedBy } of before.results) {
          const expected = severity === 'critical' ? [id, true, null] : [id, false, 'amina'];
          expect([id, outcome !== 'not-run', bypassedBy]).toEqual(expected);
        }
        // Somebody at work without a run of that level is no emergency, and is not waited for.
        expect(before.decision).toBe('go');

        const kinds = plan.steps.map(({ action }) => action);
        expect(kinds.filter((action) => !/^(flag\.off|jobs\.stop|unleash\.sync|verify\.)/.test(action))).toEqual([]);
        const order = ['flag.off', 'jobs.stop', 'unleash.sync', 'verify.domain', 'verify.all'];
        const places = kinds.map((action) => order.indexOf(action));
        expect(places).toEqual(places.toSorted((one, other) => one - other));
        expect(kinds[0]).toBe('flag.off');
        expect(kinds.at(-1)).toBe('verify.all');
      }),
      { numRuns: 100, endOnFailure: true },
    );
  }, 120_000);
});
