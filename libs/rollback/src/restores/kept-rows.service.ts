import type { RecoveryHooks } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import type { Evidence, StepContext } from '../engine/action.js';
import type { Json, JsonObject } from '../engine/json.js';
import { openBackup } from '../backups/open-backup.js';
import { RestoreRefused } from '../rollback.problems.js';
import { asJson, effectOnce, look, recoveryContext, stepToUndo, type LookContext } from './effect.service.js';
import { imagesOf, putBackImages } from './image.service.js';
import { hooksOf } from './marked-rows.service.js';
import { keptTables, type KeptSource } from './kept-source.service.js';
import { isPhysical, putBackPhysical, refillPhysical } from './physical-rows.service.js';
import type { KeptRowsInput } from './restore.contract.js';
import { qualified, quoted, recordOf, sameKey, type KeptTable } from './restored-table.queries.js';
import { differs, nameOf, reachGoals, type RowGoal } from './row-goal.service.js';

const SAMPLE = 20;

export interface RowDifference {
  readonly table: string;
  readonly missing: number;
  readonly changed: number;
  /** Only listed, never deleted. */
  readonly extra: number;
  readonly samples: JsonObject;
}

const outcome = z.object({ tables: z.array(z.string()), physical: z.boolean() });

/** What the tables have not, or have otherwise, or have besides. */
export function compareKeptRows(
  ctx: LookContext,
  input: KeptSource & { readonly tables: readonly string[] },
): Promise<{ readonly tables: RowDifference[]; readonly refusals: JsonObject[] }> {
  return look(ctx, async ({ client }) => {
    const hooks = hooksOf(ctx.world, input.domain);
    const kept = asked(await keptTables(ctx, client, input, hooks?.physical), input, hooks);
    const tables: RowDifference[] = [];
    for (const one of kept.filter(({ table }) => table.key.length > 0)) tables.push(await difference(client, one));
    return { tables, refusals: refusalsOf(kept, hooks) };
  });
}

/**
 * Puts the chosen differences right in one transaction, and keeps every row that it changes as it was. Tables that only
 * maintenance may rewrite go the way that their domain declares; what can be derived is derived again.
 */
export function restoreKeptRows(ctx: StepContext, input: KeptRowsInput): Promise<JsonObject> {
  return effectOnce(ctx, async ({ client, tx, before }) => {
    const hooks = hooksOf(ctx.world, input.domain);
    const kept = await keptTables(ctx, client, input, hooks?.physical);
    const physical = hooks !== undefined && kept.some(({ table }) => isPhysical(hooks.physical, nameOf(table)));
    const refusals = refusalsOf(kept, hooks);
    if (refusals.length > 0) throw new RestoreRefused('Some of it cannot be put back', { refusals });
    const differences: JsonObject[] = [];
    for (const one of asked(kept, input, hooks)) differences.push(asJson(await difference(client, one)));
    ctx.signal.throwIfAborted();

    const plain = kept.filter(({ table }) => !hooks || !isPhysical(hooks.physical, nameOf(table)));
    const rows = await reachGoals(
      client,
      plain.map((one) => goalOf(one, input)),
      imagesOf(ctx, 'before'),
    );
    if (physical) await refillPhysical(ctx, client, hooks.physical, input, kept);
    const since = await keptSince(ctx, input, before.at);
    const derived = hooks ? await hooks.afterRestore(recoveryContext(ctx, tx), { at: since }) : {};
    return asJson({
      differences,
      rows,
      derived,
      images: imagesOf(ctx, 'before').schema,
      tables: rows.map(({ table }) => table),
      physical,
    });
  });
}

/** The difference worked out again is empty, and nothing is wrong that the domain can find. */
export function verifyKeptRows(ctx: StepContext, input: KeptRowsInput): Promise<Evidence> {
  return look(ctx, async ({ client }): Promise<Evidence> => {
    const domain = ctx.world.domains.find(({ name }) => name === input.domain);
    const hooks = domain?.runbook?.hooks;
    const kept = asked(await keptTables(ctx, client, input, hooks?.physical), input, hooks);
    const left: JsonObject[] = [];
    for (const one of kept) {
      // Whoever derives rows anew counts their versions on.
      const counted = domain?.runbook ? ['row_version', 'updated_at'] : [];
      const columns = one.columns.filter((name) => !counted.includes(name));
      const found = await difference(client, { ...one, columns });
      if (input.classes.some((name) => found[name] > 0)) left.push(asJson(found));
    }
    const broken: Json[] = [];
    for (const { name, find } of domain?.runbook?.invariants ?? []) {
      const rows = await find(client, SAMPLE);
      if (rows.length > 0) broken.push({ invariant: name, rows: rows.map(asJson) });
    }
    const whole = left.length === 0 && broken.length === 0;
    return { outcome: whole ? 'pass' : 'fail', facts: { left, broken, looked: kept.length } };
  });
}

/** Rows as they were before the restore, by the images that it kept. */
export async function undoKeptRows(ctx: StepContext, input: KeptRowsInput): Promise<JsonObject> {
  const step = await stepToUndo(ctx.world.application, ctx);
  if (!step) return { undone: false };
  const former = { runId: ctx.runId, stepKey: step.stepKey };
  const { tables, physical } = outcome.parse(step.result);
  return effectOnce(ctx, async ({ client, tx, before }) => {
    const hooks = hooksOf(ctx.world, input.domain);
    // What was put back into the others goes only when nothing rests on it any more.
    if (physical && hooks) await putBackPhysical(former, client, input.domain, hooks.physical);
    const rows = await putBackImages(former, client, tables);
    const derived = hooks ? await hooks.afterRestore(recoveryContext(ctx, tx), { at: before.at }) : {};
    return asJson({ undone: true, rows, derived });
  });
}

async function keptSince(ctx: LookContext, { backupId }: KeptRowsInput, otherwise: Date): Promise<Date> {
  if (backupId === null) return otherwise;
  const { manifest } = await openBackup(ctx.world, backupId, ctx.signal);
  return new Date(manifest.snapshotAt);
}

/** Without those that only come along, and those that follow from others. */
function asked(
  kept: readonly KeptTable[],
  { tables }: { readonly tables: readonly string[] },
  hooks: RecoveryHooks | undefined,
): readonly KeptTable[] {
  const derived = new Set(hooks?.physical.derived);
  return kept.filter(({ table }) => tables.includes(nameOf(table)) && !derived.has(nameOf(table)));
}

function refusalsOf(kept: readonly KeptTable[], hooks: RecoveryHooks | undefined): JsonObject[] {
  return kept.flatMap(({ table }): JsonObject[] => {
    if (table.key.length === 0) return [{ table: nameOf(table), why: 'its rows cannot be told apart' }];
    if (!table.appendOnly || hooks) return [];
    return [{ table: nameOf(table), why: 'it is append-only, and its domain does not say how it is put back' }];
  });
}

function goalOf({ table, rows, columns }: KeptTable, { classes }: KeptRowsInput): RowGoal {
  const [only] = classes;
  return { table, columns, present: rows, absent: null, ...(classes.length === 1 && only && { only }) };
}

async function difference(client: pg.ClientBase, { table, rows, columns }: KeptTable): Promise<RowDifference> {
  const live = qualified(table);
  const same = sameKey(table.key, 't', 'p');
  const record = recordOf(table.key, 'd');
  const counts = {
    missing: `SELECT p.* FROM ${rows} p WHERE NOT EXISTS (SELECT FROM ${live} t WHERE ${same})`,
    changed: `SELECT p.* FROM ${rows} p JOIN ${live} t ON ${same} WHERE ${differs({ columns })}`,
    extra: `SELECT t.* FROM ${live} t WHERE NOT EXISTS (SELECT FROM ${rows} p WHERE ${same})`,
  };
  const found = { missing: 0, changed: 0, extra: 0 };
  const samples: Record<string, Json> = {};
  for (const name of ['missing', 'changed', 'extra'] as const) {
    const result = await client.query(
      `WITH d AS (${counts[name]})
       SELECT (SELECT count(*)::integer FROM d) AS count,
              (SELECT coalesce(jsonb_agg(s.record), '[]')
               FROM (SELECT ${record} AS record FROM d ORDER BY ${quoted(table.key, 'd')} LIMIT ${SAMPLE}) s) AS sample`,
    );
    const [counted] = z.array(z.object({ count: z.number(), sample: z.array(z.json()) })).parse(result.rows);
    found[name] = counted?.count ?? 0;
    samples[name] = counted?.sample ?? [];
  }
  return { table: nameOf(table), ...found, samples };
}
