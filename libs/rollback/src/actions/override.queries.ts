import type pg from 'pg';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';

export const override = z.object({
  off: z.boolean(),
  seq: z.string(),
  reason: z.string(),
  actor: z.string(),
  runId: z.string().nullable(),
});
export type Override = z.infer<typeof override>;

/** In which a run's overrides count: everybody obeys `live`, and a drill has overrides of its own. */
export function overlayScope({ scope, runId }: Pick<StepContext, 'scope' | 'runId'>): string {
  return scope === 'live' ? 'live' : `drill-${runId}`;
}

/** The row of the overlay; null when the flag was never overridden. */
export async function overrideOf(
  control: pg.Pool | pg.ClientBase,
  scope: string,
  flag: string,
): Promise<Override | null> {
  const { rows } = await control.query(
    `SELECT off, seq, reason, actor, run_id AS "runId" FROM control.flag_override WHERE scope = $1 AND flag = $2`,
    [scope, flag],
  );
  return override.nullable().parse(rows[0] ?? null);
}

/** Writes the row under a new number, which is answered. */
export async function writeOverride(
  client: pg.ClientBase,
  scope: string,
  flag: string,
  row: Pick<Override, 'off' | 'reason' | 'actor' | 'runId'>,
): Promise<string> {
  const { rows } = await client.query(`SELECT control.override_flag($1, $2, $3, $4, $5, $6) AS seq`, [
    scope,
    flag,
    row.off,
    row.reason,
    row.actor,
    row.runId,
  ]);
  return z.tuple([z.object({ seq: z.string() })]).parse(rows)[0].seq;
}
