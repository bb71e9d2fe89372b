import { AuditTrail, readConfig } from '@belay/platform';
import pg from 'pg';
import { actions } from '../../../libs/rollback/src/actions/registry.js';
import { Actions } from '../../../libs/rollback/src/engine/actions.js';
import { ExecutorHost } from '../../../libs/rollback/src/engine/executor-host.js';
import type { JournalObserver } from '../../../libs/rollback/src/engine/journal-point.js';
import { orders, type Report, type WorldOrder } from '../crash-orders.js';
import { crashDomains, crashLedgers } from '../crash-cases.js';
import { nothingAgainst, openWorld } from '../run-room.js';
import { shelfActions } from '../shelf.js';

/** Executors of several worlds in one process, each of which stops dead at the point it was told, and waits to be killed. */
const known = new Actions([...actions, ...shelfActions]);

process.once('message', (message) => {
  const { worlds, timing } = orders.parse(message);
  for (const [place, world] of worlds.entries()) void work(place, world, timing);
});
process.once('disconnect', () => process.exit(0));
tell({ ready: true });

function tell(report: Report): void {
  // Whoever asked may be gone already.
  if (process.connected) process.send?.(report);
}

async function work(
  place: number,
  order: WorldOrder,
  timing: { leaseTtlMs: number; heartbeatMs: number; pollMs: number },
) {
  const world = await openWorld(readConfig(order.env), crashDomains, crashLedgers);
  let next = 0;
  const observe: JournalObserver = async (point, { idx }) => {
    // A point that a resumed run does not pass any more is left out.
    const found = order.kills.findIndex((one, place) => place >= next && one.point === point && one.idx === idx);
    const kill = order.kills[found];
    if (!kill) return;
    next = found + 1;
    if (kill.how === 'process') {
      tell({ place, reached: next, at: Date.now() });
      await new Promise<never>(() => undefined);
    }
    const cut = async () => {
      await cutOff(order);
      tell({ place, cut: next, at: Date.now() });
    };
    if (kill.afterMs === 0) await cut();
    else setTimeout(() => void cut(), kill.afterMs);
  };
  const audit = new AuditTrail(world.control);
  await new ExecutorHost({ world, actions: known, checks: nothingAgainst, audit, timing, observe }).start();
  tell({ place, standing: Date.now() });
  const client = new pg.Client({ connectionString: order.env['CONTROL_DATABASE_URL'] });
  await client.connect();
  for (;;) {
    // A run whose lease was lost goes on by itself.
    const { rows } = await client.query<{ state: string }>(
      `SELECT state FROM control.run WHERE id = $1 AND paused_for IS DISTINCT FROM 'lost-lease'
         AND state IN ('monitoring', 'closed', 'compensated', 'manual', 'cancelled', 'paused')`,
      [order.runId],
    );
    if (rows[0]) {
      tell({ place, ended: rows[0].state });
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await client.end();
}

/** Ends every session that Belay has with the two databases. */
async function cutOff({ env }: WorldOrder): Promise<void> {
  const admin = new pg.Client({ connectionString: env['CONTROL_DATABASE_URL'] });
  await admin.connect();
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = ANY ($1) AND application_name LIKE 'belay%' AND pid <> pg_backend_pid()`,
    [[env['DATABASE_URL'], env['CONTROL_DATABASE_URL']].map((url) => new URL(url ?? '').pathname.slice(1))],
  );
  await admin.end();
}
