import {
  RecoveryRefused,
  type RecoveryContext,
  type RecoveryFinding,
  type RecoveryHooks,
  type RecoveryInput,
  type RecoveryMarker,
  type RecoveryPlan,
} from '@belay/platform';
import { z } from 'zod';
import type { Done, Evidence, StepContext } from '../engine/action.js';
import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { MarkerNotFound, RestoreRefused } from '../rollback.problems.js';
import { changesSince } from './change-log.service.js';
import {
  asJson,
  effectOnce,
  look,
  point,
  recoveryContext,
  stepToUndo,
  type Effect,
  type LookContext,
} from './effect.service.js';
import { imagesOf, putBackImages } from './image.service.js';
import type { MarkedRowsInput } from './restore.contract.js';
import { tablesOf } from './restored-table.queries.js';
import { reachGoals } from './row-goal.service.js';

const markerRow = z.object({
  snapshot: z.string(),
  at: z.date(),
  facts: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** What a R2 answered; the journal has it, and the step marker. */
const outcome = z.object({
  before: point.extend({ facts: z.record(z.string(), z.unknown()) }).nullable(),
  tables: z.array(z.string()),
  outcome: z
    .object({
      upserts: z.number(),
      deletes: z.number(),
      counterposted: z.record(z.string(), z.number()),
      kept: z.array(
        z.object({
          table: z.string(),
          record: z.record(z.string(), z.unknown()),
          how: z.enum(['put out of use', 'left']),
          because: z.string(),
        }),
      ),
    })
    .nullable(),
});

/** Read-only: what would be done, and under which hash. */
export function planMarkedRows(
  ctx: LookContext & Pick<StepContext, 'runId' | 'actor'>,
  input: MarkedRowsInput,
): Promise<RecoveryPlan> {
  return look(ctx, async (effect) => {
    const marker = await markerOf(ctx.world, input);
    const hooks = hooksOf(ctx.world, input.domain);
    const asked = recoveryInput(marker, input);
    if (hooks) return hooks.plan(recoveryContext(ctx, effect.tx), asked);
    return (await changesSince(effect.client, await tablesOf(effect.client, input.domain), asked)).plan;
  });
}

/** Takes back what was changed since the marker, through the hooks of the domain when it has some. */
export function restoreMarkedRows(ctx: StepContext, input: MarkedRowsInput): Promise<JsonObject> {
  return effectOnce(ctx, async (effect) => {
    const marker = await markerOf(ctx.world, input);
    const asked = recoveryInput(marker, input);
    const hooks = hooksOf(ctx.world, input.domain);
    if (hooks) return throughHooks(hooks, recoveryContext(ctx, effect.tx), effect, marker, asked, input.planHash);

    const { client } = effect;
    const { plan, goals } = await changesSince(client, await tablesOf(client, input.domain), asked);
    refuse(plan, input.planHash);
    ctx.signal.throwIfAborted();
    const rows = await reachGoals(client, goals, imagesOf(ctx, 'before'));
    const images = goals.length > 0 ? imagesOf(ctx, 'before').schema : null;
    return asJson({ plan, rows, images, tables: rows.map(({ table }) => table), before: null, outcome: null });
  });
}

async function throughHooks(
  hooks: RecoveryHooks,
  context: RecoveryContext,
  { before }: Effect,
  marker: RecoveryMarker,
  asked: RecoveryInput,
  planHash: string | null,
): Promise<JsonObject> {
  const facts = await hooks.mark(context);
  const plan = await hooks.plan(context, asked);
  refuse(plan, planHash);
  const done = await hooks.compensate(context, asked, plan.hash).catch(refusedByHook);
  const derived = await hooks.afterRestore(context, marker);
  const tables = plan.tables.map(({ table }) => table);
  return asJson({ plan, derived, images: null, tables, before: { ...before, facts }, outcome: done });
}

/** The same question as the plan, asked again, has no answer any more; or the domain says itself that all is well. */
export function verifyMarkedRows(ctx: StepContext, input: MarkedRowsInput, done: Done): Promise<Evidence> {
  return look(ctx, async (effect): Promise<Evidence> => {
    const marker = await markerOf(ctx.world, input);
    const hooks = hooksOf(ctx.world, input.domain);
    if (hooks) {
      const context = recoveryContext(ctx, effect.tx);
      const told = outcome.safeParse(done.result).data?.outcome ?? undefined;
      const findings = await hooks.verify(context, marker, told);
      return evidenceOf(isWhole(input) ? findings : withoutComparison(findings));
    }
    const { client } = effect;
    const { plan } = await changesSince(client, await tablesOf(client, input.domain), recoveryInput(marker, input));
    const left = plan.tables.filter(({ upserts, deletes }) => upserts + deletes > 0);
    return { outcome: left.length === 0 ? 'pass' : 'fail', facts: asJson({ left, looked: plan.tables.length }) };
  });
}

/** Rows as they were before the restore: by the images that it kept, or by the hooks of the domain. */
export async function undoMarkedRows(ctx: StepContext, input: MarkedRowsInput): Promise<JsonObject> {
  const step = await stepToUndo(ctx.world.application, ctx);
  if (!step) return { undone: false };
  const { before, tables } = outcome.parse(step.result);
  return effectOnce(ctx, async (effect) => {
    const hooks = hooksOf(ctx.world, input.domain);
    if (!hooks || !before)
      return asJson({ undone: true, rows: await putBackImages({ runId: ctx.runId, ...step }, effect.client, tables) });
    const context = recoveryContext(ctx, effect.tx);
    const asked: RecoveryInput = { marker: { snapshot: before.snapshot, at: before.at }, mode: 'compensate' };
    const plan = await hooks.plan(context, asked);
    refuse(plan, null);
    const done = await hooks.compensate(context, asked, plan.hash).catch(refusedByHook);
    await hooks.afterRestore(context, before);
    return asJson({ undone: true, outcome: done });
  });
}

export function hooksOf(world: World, domain: string): RecoveryHooks | undefined {
  return world.domains.find(({ name }) => name === domain)?.runbook?.hooks;
}

function evidenceOf(findings: readonly RecoveryFinding[]): Evidence {
  const open = findings.filter(({ outcome: result }) => result !== 'passed');
  const failed = open.some(({ outcome: result }) => result === 'failed');
  const verdict = failed ? 'fail' : open.length > 0 ? 'inconclusive' : 'pass';
  return { outcome: verdict, facts: asJson({ looked: findings.length, open }) };
}

/** Where only a part was taken back, the rest is not as it was at the marker. */
function withoutComparison(findings: readonly RecoveryFinding[]): RecoveryFinding[] {
  return findings.filter(({ name }) => name.startsWith('check '));
}

function isWhole({ tables, only, excludeActors }: MarkedRowsInput): boolean {
  return tables === null && only === null && excludeActors === null;
}

async function markerOf({ control }: World, { markerId, domain }: MarkedRowsInput): Promise<RecoveryMarker> {
  const { rows } = await control.query(
    `SELECT snapshot::text AS snapshot, at, facts FROM control.marker WHERE id = $1`,
    [markerId],
  );
  const [found] = z.array(markerRow).parse(rows);
  if (!found) throw new MarkerNotFound(markerId);
  return { snapshot: found.snapshot, at: found.at, facts: found.facts[domain] ?? {} };
}

function recoveryInput({ snapshot, at }: RecoveryMarker, input: MarkedRowsInput): RecoveryInput {
  const { mode, tables, only, excludeActors } = input;
  return {
    marker: { snapshot, at },
    mode: mode ?? (only ? 'selective' : 'compensate'),
    ...(tables && { tables }),
    ...(excludeActors && { excludeActors }),
    ...(only && { only: { ...(only.actors && { actors: only.actors }), ...(only.keys && { keys: only.keys }) } }),
  };
}

function refuse({ hash, refusals }: RecoveryPlan, planHash: string | null): void {
  if (planHash !== null && planHash !== hash) {
    throw new RestoreRefused('Something was changed since the plan was made', { planned: planHash, found: hash });
  }
  if (refusals.length > 0) throw new RestoreRefused('Some of it cannot be taken back', { refusals });
}

function refusedByHook(error: unknown): never {
  if (error instanceof RecoveryRefused) throw new RestoreRefused(error.message, { refusals: error.reasons });
  throw error;
}
