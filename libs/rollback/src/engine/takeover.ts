import { brokeOff } from './error-facts.js';
import { FencedOff, insist, raiseFence } from './fence.js';
import { LeaseLost, liftEpoch, releaseLease, type Lease } from './lease.js';
import { runIn, type RunRow } from './run.queries.js';
import type { World } from './world.js';

/** Closes the doors behind whoever was at work before. Throws when they cannot be reached, save in an emergency. */
export async function closeDoors(world: World, lease: Lease, runId: string): Promise<void> {
  try {
    await raiseFence(world, { ...lease, runId });
  } catch (error) {
    // The control database was put back to an earlier time: epochs go on from where they were, with the next lease.
    if (error instanceof FencedOff) {
      await releaseLease(world.control, await liftEpoch(world.control, lease, error.epoch));
      throw new LeaseLost(lease.scope);
    }
    const run = await runIn(world.control, runId);
    if (run?.mode !== 'emergency' || !brokeOff(error)) throw error;
  }
}

/** The run under the epoch of this lease; whoever wrote under an earlier one is through. */
export async function takeRun(world: World, lease: Lease, runId: string): Promise<RunRow | undefined> {
  const client = await world.connect('control', 'belay-executor-take');
  try {
    await client.query(`SET lock_timeout = '10s'`);
    const { rowCount } = await insist(client, world.control, () =>
      client.query(`UPDATE control.run SET epoch = $2 WHERE id = $1 AND epoch < $2`, [runId, lease.epoch]),
    );
    // The memory was put back to a time at which the lease was younger than the run; each turn counts on.
    if (rowCount !== 1) throw new Error(`run ${runId} has a later epoch than ${lease.epoch}`);
    return await runIn(client, runId);
  } finally {
    await client.end().catch(() => undefined);
  }
}
