import { InvalidRequest } from '@belay/platform';
import type pg from 'pg';
import { PlanNotFound } from '../plans/plan.problems.js';
import { BackupNotFound, MarkerNotFound } from '../rollback.problems.js';
import { RunNotFound } from '../runs/run.problems.js';

/** The hash that is meant by its beginning, of at least six digits. */
export async function planNamed(control: pg.Pool, given: string): Promise<string> {
  const wanted = given.trim().toLowerCase();
  if (!/^[0-9a-f]{6,64}$/.test(wanted)) throw new PlanNotFound(given);
  const { rows } = await control.query<{ id: string }>(
    `SELECT id FROM control.plan WHERE id LIKE $1 || '%' ORDER BY created_at DESC LIMIT 2`,
    [wanted],
  );
  return only(rows, given, () => new PlanNotFound(given));
}

/** A run by its id or the beginning of it; `last` is the newest. */
export async function runNamed(control: pg.Pool, given: string): Promise<string> {
  const wanted = given.trim().toLowerCase();
  if (wanted === 'last') {
    const { rows } = await control.query<{ id: string }>(`SELECT id FROM control.run ORDER BY created_at DESC LIMIT 1`);
    return only(rows, given, () => new RunNotFound(given));
  }
  return idNamed(control, 'control.run', wanted, () => new RunNotFound(given));
}

export function backupNamed(control: pg.Pool, given: string): Promise<string> {
  return idNamed(control, 'control.backup', given.trim().toLowerCase(), () => new BackupNotFound(given));
}

/** A marker by its id, the beginning of it, or its name, of which the newest counts. */
export async function markerNamed(control: pg.Pool, given: string): Promise<string> {
  const { rows } = await control.query<{ id: string }>(
    `SELECT id FROM control.marker WHERE name = $1 ORDER BY at DESC LIMIT 1`,
    [given],
  );
  return rows[0]?.id ?? idNamed(control, 'control.marker', given.trim().toLowerCase(), () => new MarkerNotFound(given));
}

async function idNamed(
  control: pg.Pool,
  table: 'control.run' | 'control.backup' | 'control.marker',
  wanted: string,
  missing: () => Error,
): Promise<string> {
  if (!/^[0-9a-f-]{8,36}$/.test(wanted)) throw missing();
  const { rows } = await control.query<{ id: string }>(
    `SELECT id::text AS id FROM ${table} WHERE id::text LIKE $1 || '%' LIMIT 2`,
    [wanted],
  );
  return only(rows, wanted, missing);
}

function only(rows: readonly { readonly id: string }[], given: string, missing: () => Error): string {
  const [first, second] = rows;
  if (!first) throw missing();
  if (second) throw new InvalidRequest([{ pointer: given, detail: 'more than one begins like this: give more of it' }]);
  return first.id;
}
