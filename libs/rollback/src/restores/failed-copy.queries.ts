import { randomUUIDv7 } from 'node:crypto';
import type { StepContext } from '../engine/action.js';

export interface FailedCopy {
  readonly kind: 'schema' | 'database';
  readonly object: string;
  /** Null for a database. */
  readonly domain: string | null;
}

/** What was replaced is kept under that name until it is purged; said twice it is there once. */
export async function rememberCopy(
  { world, runId }: Pick<StepContext, 'world' | 'runId'>,
  { kind, object, domain }: FailedCopy,
): Promise<void> {
  await world.control.query(
    `INSERT INTO control.failed_copy (id, kind, object, domain, run_id, bytes, purge_after)
     VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 day')
     ON CONFLICT (kind, object) DO NOTHING`,
    [
      randomUUIDv7(),
      kind,
      object,
      domain,
      runId,
      await bytesOf({ world }, kind, object),
      world.runtime.config.PURGE_AFTER_DAYS,
    ],
  );
}

/** It is in use again under its own name. */
export async function forgetCopy(
  { world }: Pick<StepContext, 'world'>,
  { kind, object }: Pick<FailedCopy, 'kind' | 'object'>,
): Promise<void> {
  await world.control.query(
    `UPDATE control.failed_copy SET taken_back_at = clock_timestamp()
     WHERE kind = $1 AND object = $2 AND taken_back_at IS NULL`,
    [kind, object],
  );
}

async function bytesOf(
  { world }: Pick<StepContext, 'world'>,
  kind: FailedCopy['kind'],
  object: string,
): Promise<string | null> {
  const { rows } = await world.application.query<{ bytes: string | null }>(
    kind === 'database'
      ? `SELECT pg_database_size(oid)::text AS bytes FROM pg_database WHERE datname = $1`
      : `SELECT sum(pg_total_relation_size(c.oid))::text AS bytes FROM pg_class c
         WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'm')`,
    [object],
  );
  return rows[0]?.bytes ?? null;
}
