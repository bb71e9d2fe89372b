import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { freeBytes } from '../backups/backup-room.js';
import { records, type BackupRecord } from '../backups/backup.queries.js';
import { manifestOf } from '../backups/open-backup.js';
import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { levelNeeded } from '../plans/order-lint.rules.js';
import type { PlanDoc, PlanStep } from '../plans/plan.contract.js';
import { passed, refused, type CheckContext, type CheckReport, type SafetyCheck } from './check.js';
import { writtenUnlogged } from './unlogged.queries.js';

const MOST_MINUTES = 15;
const ROOM = 2;
/** What a restore with its proof got through in a second when it was measured; used until there is a drill. */
const BYTES_A_SECOND = 8 * 1024 * 1024;

const again = {
  kind: 'extra-step',
  text: 'Make a backup and prove it',
  command: 'belay backup create --scope …',
} as const;

/** S11: what the next step risks is kept, at the level it needs, and nobody has written since. */
export const backupCheck: SafetyCheck = {
  id: 'S11',
  title: 'What is at risk is kept',
  severity: 'destructive',
  phases: ['plan', 'start', 'step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run(context) {
    const source = await sourceFlaw(context);
    if (source) return source;
    return context.step === null ? roomFor(context) : keptFor(context, context.step);
  },
};

/** A restore is no better than what it restores from. */
async function sourceFlaw({ world, plan, step }: CheckContext): Promise<CheckReport | undefined> {
  const ids = (step === null ? plan.steps : [step]).flatMap(({ action, input: { backupId } }) =>
    action.endsWith('.restore') && action !== 'rows.restore' && typeof backupId === 'string' ? [backupId] : [],
  );
  const sources = ids.length === 0 ? [] : await records(world.control, 'WHERE id = ANY ($1)', [ids]);
  const weak = ids.filter((id) => !sources.some((one) => one.id === id && one.level >= 4 && one.state === 'proven'));
  if (weak.length === 0) return undefined;
  const levels = Object.fromEntries(sources.map(({ id, level }) => [id, level]));
  return refused({ source: weak, levels }, { level: 4 }, [
    { kind: 'extra-step', text: 'Prove the backup first', command: `belay backup verify ${weak[0] ?? ''} --level 4` },
    { kind: 'other-target', text: 'Restore from another backup that is proven', command: 'belay backup list' },
  ]);
}

async function roomFor({ world, plan }: CheckContext): Promise<CheckReport> {
  const { BACKUP_DIR } = world.runtime.config;
  await mkdir(BACKUP_DIR, { recursive: true });
  const free = await freeBytes(BACKUP_DIR);
  const needed = plan.steps.some(({ action }) => action === 'backup.create') ? ROOM * plan.impact.bytes : 0;
  const measured = { freeBytes: free };
  const threshold = { freeBytes: needed };
  if (free >= needed) return passed(measured, threshold, { folder: BACKUP_DIR });
  return refused(measured, threshold, [{ kind: 'ask', text: `Somebody makes room in ${BACKUP_DIR}` }], {
    folder: BACKUP_DIR,
  });
}

async function keptFor({ world, plan, runId, signal }: CheckContext, step: PlanStep): Promise<CheckReport> {
  const level = levelNeeded(step) === 0 ? 0 : Math.max(levelNeeded(step), plan.backup?.level ?? 0);
  if (level === 0 || step.action === 'migration.up' || step.action === 'step.undo') return passed({}, {});
  const threshold = { level, minutes: MOST_MINUTES, writesSince: 0, unlogged: [] };
  const found = await newestOfRun(world, plan, step, runId);
  if (!found) return refused({ level: null }, threshold, [again]);
  // Nobody writes what was put aside, whoever writes to what is served.
  const aside = step.action === 'purge';
  const facts = await ageOf(world, found, aside ? `${step.domain ?? ''}__parked` : step.domain);
  const evidence = { backup: found.id, location: found.location };
  const known = { level: found.level, ...facts };
  if (found.level < level || facts.minutes > MOST_MINUTES || facts.writesSince > 0)
    return refused(known, threshold, [again], evidence);
  // Looked at last, because it reads every row of them.
  const unlogged = await writtenUnlogged(world.application, await manifestOf(world, found), {
    domains: step.domain === null ? found.domains : [step.domain],
    aside,
    signal,
  });
  const measured = { ...known, unlogged: [...unlogged] };
  return unlogged.length === 0
    ? passed(measured, threshold, evidence)
    : refused(measured, threshold, [again], evidence);
}

async function newestOfRun(
  { control }: World,
  plan: PlanDoc,
  step: PlanStep,
  runId: string | null,
): Promise<BackupRecord | undefined> {
  const domains = step.domain === null ? (plan.backup?.scope ?? []) : [step.domain];
  const [found] = await records(
    control,
    `WHERE state NOT IN ('creating', 'expired', 'broken') AND (scope = 'application' OR domains @> $1::text[])
     ORDER BY run_id IS NOT DISTINCT FROM $2 DESC, snapshot_at DESC NULLS LAST LIMIT 1`,
    [domains, runId],
  );
  return found;
}

/** How old it is by the clock of the control database, and how many changes the application database has logged since. */
async function ageOf({ control, application }: World, backup: BackupRecord, domain: string | null) {
  const [age, writes] = await Promise.all([
    control.query<{ minutes: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - coalesce($1::timestamptz, '-infinity'))::float8 / 60 AS minutes`,
      [backup.snapshotAt],
    ),
    application.query<{ writes: number }>(
      `SELECT count(*)::int AS writes FROM platform.audit_log
       WHERE at > $1 AND operation <> 'READ' AND ($2::text IS NULL OR schema_name IN ($2, $2 || '__parked'))`,
      [backup.snapshotAt, domain],
    ),
  ]);
  const minutes = Math.round((age.rows[0]?.minutes ?? Infinity) * 10) / 10;
  return { minutes, writesSince: writes.rows[0]?.writes ?? 0 };
}

/** S12: bringing the data back takes no longer than the plan allows. */
export const restoreTimeCheck: SafetyCheck = {
  id: 'S12',
  title: 'A restore is fast enough',
  severity: 'normal',
  phases: ['plan', 'start', 'after'],
  applies: ({ steps }) => steps.some(({ action }) => action === 'domain.restore' || action === 'database.restore'),

  async run({ world, plan }) {
    const { rows } = await world.control.query(
      `SELECT drill_ms AS "drillMs", bytes FROM control.backup WHERE id = ANY ($1::uuid[])`,
      [plan.steps.flatMap(({ input: { backupId } }) => (typeof backupId === 'string' ? [backupId] : []))],
    );
    const known = z
      .array(z.object({ drillMs: z.coerce.number().nullable(), bytes: z.coerce.number().nullable() }))
      .parse(rows);
    const seconds = known.map(({ drillMs, bytes }) => (drillMs ?? ((bytes ?? 0) / BYTES_A_SECOND) * 1_000) / 1_000);
    const measured: JsonObject = {
      seconds: Math.round(seconds.reduce((sum, one) => sum + one, 0) * 10) / 10,
      measured: known.every(({ drillMs }) => drillMs !== null),
    };
    const threshold = { seconds: plan.budgetS };
    if (Number(measured['seconds']) <= plan.budgetS) return passed(measured, threshold);
    return refused(measured, threshold, [
      {
        kind: 'other-target',
        text: 'Put back only the rows that are damaged (R2 or R3)',
        command: 'belay restore rows …',
      },
      { kind: 'ask', text: 'Whoever owns the budget agrees to more time' },
    ]);
  },
};
