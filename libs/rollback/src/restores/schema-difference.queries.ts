import pg from 'pg';
import { z } from 'zod';
import type { Json } from '../engine/json.js';
import { qualified, recordOf, sameKey, tablesOf, type RestoredTable } from './restored-table.queries.js';
import { differs } from './row-goal.service.js';

const SAMPLE = 20;

/** Two copies of a table: what only one of them has, and what both have otherwise. */
export interface CopyDifference {
  readonly table: string;
  readonly onlyFormer: number;
  readonly onlyPresent: number;
  readonly changed: number;
  /** Keys of some rows that only the former copy has. */
  readonly sample: readonly Json[];
}

interface Pair {
  readonly former: RestoredTable;
  readonly present: RestoredTable;
  readonly columns: readonly string[];
}

/** Whatever is not the same in two schemas with the same tables; those without a key are told by nothing but their size. */
export async function schemaDifference(
  client: pg.ClientBase,
  former: string,
  present: string,
): Promise<CopyDifference[]> {
  const found: CopyDifference[] = [];
  for (const pair of await pairsOf(client, former, present)) {
    const counts = await difference(client, pair);
    if (counts.onlyFormer + counts.onlyPresent + counts.changed > 0) found.push(counts);
  }
  return found;
}

/** The audit log says of every row that became another what it would say if somebody had changed it. */
export async function logDifference(client: pg.ClientBase, former: string, present: string): Promise<void> {
  for (const pair of await pairsOf(client, former, present)) {
    const { former: before, present: after, columns } = pair;
    if (!after.audited || after.key.length === 0) continue;
    await client.query(
      `INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, new, actor, request_id, reason)
       SELECT $1, $2, CASE WHEN t IS NULL THEN ${recordOf(after.key, 'p')} ELSE ${recordOf(after.key, 't')} END,
              CASE WHEN p IS NULL THEN 'INSERT' WHEN t IS NULL THEN 'DELETE' ELSE 'UPDATE' END, to_jsonb(p), to_jsonb(t),
              nullif(current_setting('belay.actor', true), ''), nullif(current_setting('belay.request_id', true), ''),
              nullif(current_setting('belay.reason', true), '')
       FROM ${qualified(before)} p FULL JOIN ${qualified(after)} t ON ${sameKey(after.key, 't', 'p')}
       WHERE ${differs({ columns })}`,
      [present, after.name],
    );
  }
}

async function pairsOf(client: pg.ClientBase, former: string, present: string): Promise<Pair[]> {
  const before = await tablesOf(client, former);
  return (await tablesOf(client, present)).flatMap((table): Pair[] => {
    const twin = before.find(({ name }) => name === table.name);
    if (!twin) return [];
    return [{ former: twin, present: table, columns: table.columns.filter((name) => twin.columns.includes(name)) }];
  });
}

async function difference(client: pg.ClientBase, { former, present, columns }: Pair): Promise<CopyDifference> {
  const [before, after] = [qualified(former), qualified(present)];
  const table = `${present.schema}.${present.name}`;
  if (present.key.length === 0) {
    const { rows } = await client.query<{ rows: string }>(
      `SELECT (SELECT count(*) FROM ${before}) - (SELECT count(*) FROM ${after}) AS rows`,
    );
    const more = Number(rows[0]?.rows ?? 0);
    return { table, onlyFormer: Math.max(more, 0), onlyPresent: Math.max(-more, 0), changed: 0, sample: [] };
  }
  const { rows } = await client.query(
    `WITH d AS (
       SELECT p IS NULL AS added, t IS NULL AS lost, ${recordOf(present.key, 'p')} AS record
       FROM ${before} p FULL JOIN ${after} t ON ${sameKey(present.key, 't', 'p')}
       WHERE ${differs({ columns })})
     SELECT count(*) FILTER (WHERE lost)::integer AS "onlyFormer", count(*) FILTER (WHERE added)::integer AS "onlyPresent",
            count(*) FILTER (WHERE NOT lost AND NOT added)::integer AS changed,
            (SELECT coalesce(jsonb_agg(s.record), '[]') FROM (SELECT record FROM d WHERE lost LIMIT ${SAMPLE}) s) AS sample
     FROM d`,
  );
  const counted = z
    .tuple([
      z.object({ onlyFormer: z.number(), onlyPresent: z.number(), changed: z.number(), sample: z.array(z.json()) }),
    ])
    .parse(rows)[0];
  return { table, ...counted };
}
