import type { World } from '../engine/world.js';

/** Does the work unless somebody else is at backups now, in whichever process; says whether it was done. */
export async function inTurn(world: World, work: () => Promise<void>): Promise<boolean> {
  const holder = await world.connect('control', 'belay:backups');
  try {
    const { rows } = await holder.query<{ held: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended('belay.backups', 0)) AS held`,
    );
    if (rows[0]?.held !== true) return false;
    await work();
    return true;
  } finally {
    await holder.end();
  }
}
