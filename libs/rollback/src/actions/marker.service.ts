import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import type { Json, JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { asJson, look, recoveryContext } from '../restores/effect.service.js';
import { ledgerOf } from './schema-move.service.js';

const marker = z.object({
  markerId: z.string(),
  name: z.string(),
  snapshot: z.string(),
  at: z.date().transform((at) => at.toISOString()),
  domains: z.array(z.string()),
});

/** The id that the marker of a step has, whoever makes it and however often. */
export function idOf(stepKey: string): string {
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => stepKey.slice(from, to));
  return `${a ?? ''}-${b ?? ''}-8${c ?? ''}-8${d ?? ''}-${e ?? ''}`;
}

export async function markerOf({ control }: World, id: string): Promise<JsonObject | undefined> {
  const { rows } = await control.query(
    `SELECT id AS "markerId", name, snapshot::text, at,
            ARRAY(SELECT jsonb_object_keys(facts) ORDER BY 1) AS domains FROM control.marker WHERE id = $1`,
    [id],
  );
  return z.array(marker).parse(rows)[0];
}

/**
 * Looks at all domains in one snapshot and remembers it, with what each says of itself: those that are parked or say
 * nothing are left out. Made twice under the same id it is there once.
 */
export async function writeMarker(
  context: Pick<StepContext, 'world' | 'signal' | 'sessionName' | 'runId' | 'actor' | 'inControl'>,
  id: string,
  name: string,
): Promise<JsonObject> {
  const { world, runId } = context;
  const earlier = await markerOf(world, id);
  if (earlier) return earlier;
  const { snapshot, at, facts } = await seenAtOnce(context);
  const ledger = await ledgersOf(world);
  await context.inControl((client) =>
    client.query(
      `INSERT INTO control.marker (id, name, snapshot, at, ledger, facts, run_id)
       VALUES ($1, $2, $3::pg_snapshot, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
      [id, name, snapshot, at, JSON.stringify(ledger), JSON.stringify(facts), runId],
    ),
  );
  const made = await markerOf(world, id);
  if (!made) throw new Error(`The marker ${id} was not kept`);
  return made;
}

/** What the domains say of themselves, all at the same point, and which point that was. */
export function seenAtOnce(context: Pick<StepContext, 'world' | 'signal' | 'sessionName' | 'runId' | 'actor'>) {
  return look(
    context,
    async ({ tx, client, before: { snapshot, at } }) => {
      const facts: Record<string, Json> = {};
      for (const { name, runbook } of context.world.domains) {
        if (!runbook) continue;
        const { rowCount } = await client.query(`SELECT WHERE to_regnamespace($1) IS NOT NULL`, [name]);
        if (rowCount === 1) facts[name] = asJson(await runbook.hooks.mark(recoveryContext(context, tx)));
      }
      return { snapshot, at, facts };
    },
    'REPEATABLE READ',
  );
}

/** How every migration of the application database stands. */
export async function ledgersOf(world: World): Promise<Json> {
  const lines: Json[] = [];
  for (const { domain } of world.ledgers.filter(({ database }) => database === 'application')) {
    for (const line of await ledgerOf(world, domain)) lines.push({ domain, ...line });
  }
  return lines;
}
