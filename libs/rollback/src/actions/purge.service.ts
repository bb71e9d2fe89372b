import { databaseError, featureMigrations, parkedNow, recordSchema } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { newestBackup } from '../backups/open-backup.js';
import type { Done, Evidence, Reconciled, StepContext } from '../engine/action.js';
import { enterFence, markedStep } from '../engine/fence.js';
import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { dependentsOf } from '../plans/impact.queries.js';
import { ParkedTooShort } from '../plans/plan.problems.js';
import { GoneForGood, PurgeUnproven, RestsOnIt } from '../rollback.problems.js';

export const purgeInput = z.strictObject({
  /** Whose parked objects go; `application` for copies of the whole database. */
  domain: z.string().regex(/^[a-z][a-z_]{0,40}$/),
  /** Copies that restores have put aside, by the names they are kept under: then nothing but these. */
  copies: z.array(z.string().regex(/^[a-z][a-z0-9_]*_(failed|undone)_[0-9a-f]{8}$/)).default([]),
  /** Flag of a feature: only what its migrations have parked. */
  feature: z.string().nullable().default(null),
});
export type PurgeInput = z.infer<typeof purgeInput>;

/** What was kept on the way, and is to go for good. */
interface Kept {
  readonly id: string;
  readonly from: 'parked_object' | 'failed_copy';
  readonly kind: 'schema' | 'table' | 'column' | 'view' | 'matview' | 'database';
  readonly object: string;
  readonly since: Date;
  readonly due: Date;
}

const kept: z.ZodType<Kept> = z.object({
  id: z.string(),
  from: z.enum(['parked_object', 'failed_copy']),
  kind: z.enum(['schema', 'table', 'column', 'view', 'matview', 'database']),
  object: z.string(),
  since: z.date(),
  due: z.date(),
});
const dropped = z.object({ ids: z.array(z.string()), databases: z.array(z.string()) });

/** Open entries of the list of what is kept; what it holds for less than the time it was promised is not due. */
export async function keptOf(world: World, input: PurgeInput): Promise<readonly Kept[]> {
  const { domain, copies } = input;
  const { rows } = await world.control.query(
    `SELECT id, 'parked_object' AS from, kind, object, parked_at AS since,
            parked_at + $3::int * interval '1 day' AS due
     FROM control.parked_object
     WHERE cardinality($2::text[]) = 0 AND domain = $1 AND taken_back_at IS NULL AND purged_by IS NULL
     UNION ALL
     SELECT id, 'failed_copy', kind, object, kept_at, kept_at + $3::int * interval '1 day'
     FROM control.failed_copy WHERE object = ANY ($2) AND taken_back_at IS NULL AND purged_by IS NULL
     ORDER BY object`,
    [domain, copies, daysOf(world)],
  );
  const mine = await meantBy(world, input);
  return z.array(kept).parse(rows).filter(mine);
}

type Named = Pick<Kept, 'kind' | 'object'>;

/** Which parked objects are meant: all of the domain, or those that the migrations of the feature park. */
async function meantBy({ control, ledgers }: World, { domain, feature }: PurgeInput): Promise<(one: Named) => boolean> {
  if (feature === null) return () => true;
  const { rows } = await control.query<Named>(
    `SELECT DISTINCT p ->> 'kind' AS kind, p ->> 'object' AS object
     FROM control.migration_artifact a, jsonb_array_elements(a.parks) AS p WHERE a.domain = $1 AND a.name = ANY ($2)`,
    [domain, featureMigrations(ledgers, domain, feature)],
  );
  return (one) => rows.some(({ kind, object }) => kind === one.kind && object === one.object);
}

/** Refuses what is not due, and what no proven backup has that was made after it was put aside. */
export async function checkPurge(world: World, { domain }: PurgeInput, going: readonly Kept[]): Promise<JsonObject> {
  const now = await clockOf(world);
  const early = going.find(({ due }) => due > now);
  if (early) throw new ParkedTooShort(early.object, early.since, daysOf(world));
  const last = new Date(Math.max(0, ...going.map(({ since }) => since.getTime())));
  const whole = going.some(({ kind }) => kind === 'database');
  const backup = await newestBackup(world, { domains: whole ? 'application' : [domain], level: 4 });
  if (!backup?.snapshotAt || backup.snapshotAt < last)
    throw new PurgeUnproven(domain, last, backup?.snapshotAt ?? null);
  return { backup: backup.id, madeAt: backup.snapshotAt.toISOString(), parkedAt: last.toISOString() };
}

/** Never less than two days, whatever is configured. */
function daysOf({ runtime }: World): number {
  return Math.max(runtime.config.PURGE_AFTER_DAYS, 2);
}

/** The statements that drop it, as they will be run: what rests on something else goes before that. */
export function statementsOf(domain: string, going: readonly Kept[]): readonly string[] {
  const parked = going.filter(({ from }) => from === 'parked_object');
  const whole = parked.some(({ kind }) => kind === 'schema');
  const copies = going.filter(({ from }) => from === 'failed_copy');
  const named = (kind: Kept['kind']) => parked.filter((one) => one.kind === kind).map(({ object }) => object);
  const tables = named('table').map(parkedName);
  // A column of a table that goes itself goes with it.
  const columns = named('column').filter((object) => !object.split('.')[1]?.endsWith('__parked'));
  const parts = [
    ...named('view').map((object) => `DROP VIEW ${parkedName(object)} RESTRICT`),
    ...named('matview').map((object) => `DROP MATERIALIZED VIEW ${parkedName(object)} RESTRICT`),
    ...(tables.length === 0 ? [] : [`DROP TABLE ${tables.join(', ')} RESTRICT`]),
    ...columns.map(dropColumn),
  ];
  return [
    ...(whole ? [dropSchema(`${domain}__parked`)] : parts),
    ...copies.filter(({ kind }) => kind === 'schema').map(({ object }) => dropSchema(object)),
    ...copies.filter(({ kind }) => kind === 'database').map(({ object }) => `DROP DATABASE ${quoted(object)}`),
  ];
}

export async function purge(context: StepContext, input: PurgeInput): Promise<JsonObject> {
  const { world, runId, stepKey } = context;
  const earlier = await markedStep(world.application, stepKey);
  const done = earlier ?? (await drop(context, input));
  const { ids, databases } = dropped.parse(done);
  // A database cannot go in a transaction; asked again it is gone already.
  for (const name of databases) await dropDatabase(context, name);
  await context.inControl(async (client) => {
    for (const table of ['parked_object', 'failed_copy']) {
      // Somebody who looked in between took what is gone for taken back.
      const sql = `UPDATE control.${table} SET purged_by = $2, taken_back_at = NULL WHERE id = ANY ($1::uuid[]) AND purged_by IS NULL`;
      await client.query(sql, [ids, context.actor]);
    }
  });
  if (input.copies.length === 0) await recordSchema(world.targets, [input.domain], runId);
  return done;
}

async function drop(context: StepContext, input: PurgeInput): Promise<JsonObject> {
  const { world } = context;
  const going = await keptOf(world, input);
  const proof = await checkPurge(world, input, going);
  return context.once(async (client) => {
    const schemas = await holdStill(client, input, going);
    const against = await restingOn(client, input.domain, schemas);
    if (against.length > 0) throw new RestsOnIt(input.domain, against);
    const statements = statementsOf(input.domain, going).filter((sql) => !sql.startsWith('DROP DATABASE'));
    for (const sql of statements) await client.query(sql).catch(restedOn(input.domain));
    if (input.copies.length === 0) await forgetMigrations(client, world, input);
    const databases = going.filter(({ kind }) => kind === 'database').map(({ object }) => object);
    return { domain: input.domain, ...proof, ids: going.map(({ id }) => id), statements: [...statements], databases };
  });
}

/** Nobody can begin to depend on what goes, or write it, from here to the end. Answers the schemas that go whole. */
async function holdStill(client: pg.ClientBase, { domain }: PurgeInput, going: readonly Kept[]): Promise<string[]> {
  const whole = going.some(({ from, kind }) => from === 'parked_object' && kind === 'schema');
  const schemas = [
    ...(whole ? [`${domain}__parked`] : []),
    ...going.filter(({ from, kind }) => from === 'failed_copy' && kind === 'schema').map(({ object }) => object),
  ];
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
    [schemas],
  );
  for (const { name } of rows) await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  return schemas;
}

/** What the server says when something rests on a part of a schema that lives on. */
function restedOn(domain: string) {
  return (error: unknown): never => {
    const refusal = databaseError(error);
    if (refusal?.code === '2BP01') throw new RestsOnIt(domain, [refusal.message]);
    throw error;
  };
}

/** A domain whose schema lives on keeps what refers to it; its parked parts go only when nothing rests on them. */
async function restingOn(client: pg.ClientBase, domain: string, schemas: readonly string[]): Promise<string[]> {
  const names = schemas.map((schema) => (schema === `${domain}__parked` ? domain : schema));
  return names.length === 0 ? [] : dependentsOf(client, names);
}

/** A migration whose work is gone was never applied, so that its next way up makes everything anew. */
async function forgetMigrations(client: pg.ClientBase, world: World, { domain, feature }: PurgeInput): Promise<void> {
  const own = feature === null ? null : featureMigrations(world.ledgers, domain, feature);
  await client.query(
    `DELETE FROM public.${domain}_migrations WHERE state = 'parked' AND ($1::text[] IS NULL OR name = ANY ($1))`,
    [own],
  );
}

async function dropDatabase(context: StepContext, name: string): Promise<void> {
  const { world, sessionName, scope, epoch } = context;
  const client = await world.connect('application', sessionName);
  try {
    await client.query('BEGIN');
    await enterFence(client, { scope, epoch });
    await client.query('COMMIT');
    await client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

/** Looked for in the catalogues, which the list of what is kept knows nothing of. */
export async function verifyPurge({ world }: StepContext, input: PurgeInput): Promise<Evidence> {
  const { domain, copies } = input;
  const mine = await meantBy(world, input);
  const left = copies.length > 0 ? [] : (await parkedNow(world.application, domain)).filter(mine);
  const parked = left.map(({ kind, object }) => `${kind} ${object}`);
  const { rows } = await world.application.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1)
     UNION ALL SELECT datname FROM pg_database WHERE datname = ANY ($1)`,
    [copies],
  );
  const there = [...parked, ...rows.map(({ name }) => name)];
  const open = (await keptOf(world, input)).map(({ object }) => object);
  const gone = there.length === 0 && open.length === 0;
  return { outcome: gone ? 'pass' : 'fail', facts: { domain, there, open } };
}

export async function reconcilePurge(context: StepContext, input: PurgeInput): Promise<Reconciled> {
  const done = await markedStep(context.world.application, context.stepKey);
  // The list of what is kept may still have it, and a database may still be there: the second half is done again.
  return done ? { effect: 'done', result: await purge(context, input) } : { effect: 'not-done' };
}

export async function refusePurgedBack(
  { world: { application }, runId }: StepContext,
  input: PurgeInput,
  { result }: Done,
) {
  const { rowCount } = await application.query(
    `SELECT FROM platform.step_marker WHERE run_id = $1 AND result ->> 'domain' = $2 AND result ? 'statements'`,
    [runId, input.domain],
  );
  if (result !== null || rowCount !== 0) throw new GoneForGood(input.domain);
  return {};
}

async function clockOf({ control }: World): Promise<Date> {
  const { rows } = await control.query(`SELECT clock_timestamp() AS now`);
  return z.tuple([z.object({ now: z.date() })]).parse(rows)[0].now;
}

function dropSchema(name: string): string {
  return `DROP SCHEMA ${quoted(name)} CASCADE`;
}

function parkedName(object: string): string {
  const [schema = '', name = ''] = object.split('.');
  return `${quoted(schema)}.${quoted(`${name}__parked`)}`;
}

function dropColumn(object: string): string {
  const [schema = '', table = '', column = ''] = object.split('.');
  return `ALTER TABLE ${quoted(schema)}.${quoted(table)} DROP COLUMN ${quoted(`${column}__parked`)} RESTRICT`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
