import { createHash } from 'node:crypto';
import { changedBy, type RecoveryInput, type RecoveryPlan } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { asJsonList } from './effect.service.js';
import { quoted, qualified, sameKey, type RestoredTable } from './restored-table.queries.js';
import { distance, nameOf, type RowGoal } from './row-goal.service.js';

const SAMPLE = 5;
// Less than what two busy cores did.
const ROWS_PER_SECOND = 2_000;

/**
 * Whether a transaction was not yet visible when the marker was made: one that had begun before and was committed after
 * counts, which no time of a clock can tell. Without a snapshot, or with one of another cluster, times with room for
 * such ones. $1 snapshot, $2 time.
 */
export const SINCE = `CASE
  WHEN $1::text IS NULL OR pg_snapshot_xmax($1::pg_snapshot)::text::numeric > pg_snapshot_xmax(pg_current_snapshot())::text::numeric
    THEN a.at > $2::timestamptz - interval '15 minutes'
  ELSE a.at > $2::timestamptz - interval '1 day' AND NOT pg_visible_in_snapshot(a.txid, $1::pg_snapshot) END`;

/** $3 whose changes alone are meant, $4 whose stay, $5 the values of columns that a record must have. */
const MEANT = `${changedBy('a.actor')}
  AND NOT EXISTS (SELECT FROM jsonb_each($5::jsonb) k WHERE NOT k.value ? coalesce(coalesce(a.new, a.old) ->> k.key, ''))`;

const changedTable = z.object({
  inserted: z.number(),
  updated: z.number(),
  deleted: z.number(),
  actors: z.array(z.string()),
  sample: z.array(z.record(z.string(), z.json())),
  conflicts: z.array(z.record(z.string(), z.json())),
});

export interface ChangesSince {
  readonly plan: RecoveryPlan;
  /** What the rows are to be again, parents first. */
  readonly goals: readonly RowGoal[];
}

/**
 * What was changed since the marker as the audit log tells, of each record the first change: what was before it is what
 * comes back. Records that were also changed by somebody whose changes stay are left as they are. The goals rest on
 * temporary tables of the transaction.
 */
export async function changesSince(
  client: pg.ClientBase,
  tables: readonly RestoredTable[],
  input: RecoveryInput,
): Promise<ChangesSince> {
  const schema = tables[0]?.schema ?? '';
  const asked = tables.filter((table) => input.tables?.includes(nameOf(table)) ?? true);
  const refusals = (input.tables ?? [])
    .filter((name) => !tables.some((table) => nameOf(table) === name))
    .map((table): Record<string, unknown> => ({ table, why: 'there is no such table' }));
  const found: RecoveryPlan['tables'][number][] = [];
  const goals: RowGoal[] = [];
  for (const [place, table] of asked.entries()) {
    if (!table.audited || table.key.length === 0) {
      if (input.tables) refusals.push({ table: nameOf(table), why: 'its changes are not written down' });
      continue;
    }
    const changes = `pg_temp.change_since_${place}`;
    const changed = await collect(client, table, changes, input);
    if (changed.inserted + changed.updated + changed.deleted === 0) continue;
    if (table.appendOnly) {
      refusals.push({
        table: nameOf(table),
        why: 'it is append-only, and its domain does not say how it is taken back',
      });
    }
    const goal = await goalOf(client, table, changes, `pg_temp.row_since_${place}`);
    const { inserted, updated, deleted } = await distance(client, goal);
    found.push({ table: nameOf(table), ...changed, upserts: inserted + updated, deletes: deleted });
    goals.push(goal);
  }
  const head = await client.query<{ head: string }>(
    `SELECT coalesce(max(id), 0)::text AS head FROM platform.audit_log WHERE schema_name = $1 AND operation <> 'READ'`,
    [schema],
  );
  const rows = found.reduce((sum, { upserts, deletes }) => sum + upserts + deletes, 0);
  const plan = { tables: found, counterposted: {}, refusals, estimatedSeconds: Math.ceil(1 + rows / ROWS_PER_SECOND) };
  const text = JSON.stringify([head.rows[0]?.head, input, asJsonList(found), refusals]);
  return { plan: { hash: createHash('sha256').update(text).digest('hex'), ...plan }, goals };
}

async function collect(
  client: pg.ClientBase,
  table: RestoredTable,
  changes: string,
  { marker, only, excludeActors }: RecoveryInput,
): Promise<z.infer<typeof changedTable>> {
  await client.query(
    `CREATE TEMPORARY TABLE ${changes.replace('pg_temp.', '')}
       (id bigint, record jsonb, operation text, old jsonb, actors text[], shared boolean) ON COMMIT DROP`,
  );
  await client.query(
    `WITH change AS (
       SELECT a.id, a.record, a.operation, a.old, a.actor, ${MEANT} AS meant
       FROM platform.audit_log a
       WHERE a.schema_name = $6 AND a.table_name = ANY ($7::text[]) AND a.operation <> 'READ' AND ${SINCE})
     INSERT INTO ${changes}
     SELECT f.id, f.record, f.operation, f.old, w.actors, w.shared
     FROM (SELECT DISTINCT ON (record) * FROM change WHERE meant ORDER BY record, id) f
     JOIN (SELECT record, array_agg(DISTINCT coalesce(actor, '')) AS actors, bool_or(NOT meant) AS shared
           FROM change GROUP BY record) w USING (record)`,
    [
      marker.snapshot,
      marker.at,
      only?.actors ?? null,
      excludeActors ?? null,
      JSON.stringify(only?.keys ?? {}),
      table.schema,
      // Changes of a part are told under its own name.
      [table.name, ...table.parts],
    ],
  );
  const { rows } = await client.query(
    `SELECT count(*) FILTER (WHERE operation = 'INSERT')::integer AS inserted,
            count(*) FILTER (WHERE operation = 'UPDATE')::integer AS updated,
            count(*) FILTER (WHERE operation = 'DELETE')::integer AS deleted,
            ARRAY(SELECT DISTINCT u FROM ${changes} c, unnest(c.actors) AS u ORDER BY 1) AS actors,
            (SELECT coalesce(jsonb_agg(s), '[]') FROM (
               SELECT record, operation, old FROM ${changes} ORDER BY id LIMIT ${SAMPLE}) s) AS sample,
            coalesce(jsonb_agg(record ORDER BY id) FILTER (WHERE shared), '[]') AS conflicts
     FROM ${changes}`,
  );
  return changedTable.parse(rows[0]);
}

async function goalOf(client: pg.ClientBase, table: RestoredTable, changes: string, former: string): Promise<RowGoal> {
  const live = qualified(table);
  const record = `jsonb_populate_record(NULL::${live}, c.record)`;
  // Columns that are younger than the change keep what they have.
  await client.query(
    `CREATE TEMPORARY TABLE ${former.replace('pg_temp.', '')} ON COMMIT DROP AS
     SELECT ${quoted(table.columns, 'o')} FROM ${changes} c CROSS JOIN LATERAL ${record} k
     LEFT JOIN ${live} t ON ${sameKey(table.key, 't', 'k')}
     CROSS JOIN LATERAL jsonb_populate_record(t, c.old) o
     WHERE c.operation <> 'INSERT' AND NOT c.shared`,
  );
  return {
    table,
    columns: table.columns,
    present: former,
    absent: `(SELECT ${quoted(table.key, 'k')} FROM ${changes} c CROSS JOIN LATERAL ${record} k
              WHERE c.operation = 'INSERT' AND NOT c.shared)`,
  };
}
