import { databaseError, type ForeseenStep, type Guard } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import type { Json } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { RowsInTheWay } from '../rollback.problems.js';

export function guardsOf(world: World, domain: string): readonly Guard[] {
  return world.domains.find(({ name }) => name === domain)?.runbook?.guards ?? [];
}

/** Guards of what these migrations park: all of them when the schema itself goes. */
export function concernedGuards(world: World, domain: string, steps: readonly ForeseenStep[]): readonly Guard[] {
  const parks = steps.flatMap((step) => step.parks);
  const whole = parks.some(({ kind, object }) => kind === 'schema' && object === domain);
  return guardsOf(world, domain).filter(
    ({ object }) => whole || parks.some((one) => one.object === object || one.object.startsWith(`${object}.`)),
  );
}

interface Counted extends Record<string, Json> {
  readonly object: string;
  readonly mode: Guard['mode'];
  /** Null when the object is not there. */
  readonly rows: number | null;
}

/** How many rows each of them sees; null where what it looks at is not there. */
export async function countGuards(on: pg.Pool | pg.ClientBase, guards: readonly Guard[]): Promise<readonly Counted[]> {
  const counted: Counted[] = [];
  for (const { object, mode, count } of guards) {
    const rows = (await kindOf(on, object)) === null ? null : await countOf(on, count).catch(noneWhenMissing);
    counted.push({ object, mode, rows });
  }
  return counted;
}

/** Nobody writes what is guarded until this ends, so what is counted now is what is parked. */
export async function holdGuards(client: pg.ClientBase, guards: readonly Guard[]): Promise<void> {
  for (const { object, mode, count } of guards) {
    const kind = await kindOf(client, object);
    if (kind === null) continue;
    if (kind === 'table') await client.query(`LOCK TABLE ${object} IN ACCESS EXCLUSIVE MODE`);
    // A count of what is only parked blocks nothing, so nobody has to wait for it.
    if (mode === 'park') continue;
    const rows = await countOf(client, count);
    if (rows > 0) throw new RowsInTheWay(object, mode, rows);
  }
}

async function kindOf(on: pg.Pool | pg.ClientBase, object: string): Promise<'schema' | 'table' | 'other' | null> {
  const { rows } = await on.query(
    `SELECT CASE WHEN to_regnamespace($1) IS NOT NULL THEN 'schema'
                 WHEN c.relkind IN ('r', 'p') THEN 'table' WHEN c.oid IS NOT NULL THEN 'other' END AS kind
     FROM (SELECT CASE WHEN $1 ~ '^[^.]+$' THEN NULL ELSE to_regclass($1) END AS oid) AS named
     LEFT JOIN pg_class c ON c.oid = named.oid`,
    [object],
  );
  return z.tuple([z.object({ kind: z.enum(['schema', 'table', 'other']).nullable() })]).parse(rows)[0].kind;
}

async function countOf(on: pg.Pool | pg.ClientBase, sql: string): Promise<number> {
  const { rows } = await on.query<Record<string, unknown>>(sql);
  return Number(Object.values(rows[0] ?? { count: 0 })[0]);
}

/** A part of the domain may be parked already, and a count look at it. */
function noneWhenMissing(error: unknown): null {
  if (/^(42P01|3F000)$/.test(databaseError(error)?.code ?? '')) return null;
  throw error;
}
