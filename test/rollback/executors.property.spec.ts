import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { FencedOff, once, raiseFence } from '../../libs/rollback/src/engine/fence.js';
import { acquireLease, releaseLease } from '../../libs/rollback/src/engine/lease.js';
import type { World } from '../../libs/rollback/src/engine/world.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

const never = new AbortController().signal;
const steps = ['a', 'b', 'c'] as const;

/** What an executor of the model did, in the order in which it came to be. */
interface Act {
  readonly step: string;
  readonly epoch: bigint;
  readonly outcome: 'done' | 'refused';
}

describe('Feature: version-rollback, Property 15: any number of executors, in any order', () => {
  let room: RunRoom;
  let world: World;
  beforeAll(async () => {
    room = await RunRoom.open(shelfActions, { sql: shelfSql });
    world = await room.world();
  });
  afterAll(() => room.close());

  it('have each effect at most once, and an epoch that is over is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, executors) => {
        await room.rows(`TRUNCATE shelf.box, shelf.effect, platform.step_marker`);
        await room.control(`UPDATE control.lease SET holder = NULL`);
        const runId = randomUUID();
        const acts: Act[] = [];
        const executor = async () => {
          const lease = await scheduler.schedule(
            // The one before may have died at any point: its time is over as soon as somebody asks.
            room
              .control(`UPDATE control.lease SET heartbeat_at = '-infinity' WHERE scope = 'live'`)
              .then(() => acquireLease(world.control, 'live', randomUUID(), { purpose: 'run' })),
            'lease',
          );
          if (!lease) return;
          const pass = { scope: 'live', epoch: lease.epoch, runId } as const;
          const raised = await scheduler.schedule(
            raiseFence(world, pass).then(
              () => true,
              (error: unknown) => {
                expect(error).toBeInstanceOf(FencedOff);
                return false;
              },
            ),
            'fence',
          );
          if (!raised) return;
          for (const step of steps) {
            await scheduler.schedule(Promise.resolve(), `before ${step}`);
            const outcome = await once(world, { ...pass, stepKey: `${runId} ${step}` }, never, async (client) => {
              await client.query(`INSERT INTO shelf.effect (run_id, name, what, epoch) VALUES ($1, $2, 'put', $3)`, [
                runId,
                step,
                lease.epoch,
              ]);
              return {};
            }).then(
              () => 'done' as const,
              (error: unknown) => {
                expect(error).toBeInstanceOf(FencedOff);
                return 'refused' as const;
              },
            );
            acts.push({ step, epoch: lease.epoch, outcome });
            if (outcome === 'refused') return;
          }
          await releaseLease(world.control, lease);
        };
        const all = Promise.all(Array.from({ length: executors }, executor));
        await scheduler.waitFor(all);

        const effects = await room.rows<{ name: string; epoch: string }>(
          `SELECT name, epoch FROM shelf.effect ORDER BY id`,
        );
        expect(effects.map(({ name }) => name)).toEqual([...steps]);
        // Later effects are never of an earlier epoch, and who was refused once has nothing afterwards.
        const epochs = effects.map(({ epoch }) => BigInt(epoch));
        expect(epochs).toEqual(epochs.toSorted((one, other) => Number(one - other)));
        const latest = acts.reduce((most, { epoch }) => (epoch > most ? epoch : most), 0n);
        expect(acts.filter(({ outcome, epoch }) => outcome === 'refused' && epoch === latest)).toEqual([]);
      }),
      { numRuns: 100, endOnFailure: true },
    );
  }, 120_000);
});
