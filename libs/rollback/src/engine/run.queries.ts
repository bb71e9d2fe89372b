import type pg from 'pg';
import { z } from 'zod';
import { planDoc, type PlanDoc } from '../plans/plan.contract.js';
import type { JsonObject } from './json.js';
import type { Scope } from './lease.js';
import { transitions, type RunState, type StepState } from './state.rules.js';

function statesOf<State extends string>(table: Readonly<Record<State, unknown>>) {
  const names = Object.keys(table);
  return z.string().refine((name): name is State => names.includes(name));
}

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());
const runState: z.ZodType<RunState> = statesOf<RunState>(transitions.run);
const stepState: z.ZodType<StepState> = statesOf<StepState>(transitions.step);

const runRow = z.object({
  id: z.uuid(),
  planId: z.string(),
  scope: z.enum(['live', 'drill']),
  mode: z.enum(['normal', 'drill', 'dry', 'emergency', 'undo']),
  state: runState,
  pausedFor: z.enum(['human', 'inconclusive', 'lost-lease', 'preempted']).nullable(),
  pausedFrom: runState.nullable(),
  wish: z.enum(['pause', 'resume', 'cancel', 'confirm']).nullable(),
  wishBy: z.string().nullable(),
  wishReason: z.string().nullable(),
  policy: z.enum(['compensate', 'hold', 'continue']),
  epoch: z.string().transform(BigInt),
  reason: z.string(),
  actor: z.string(),
  /** The furthest that watchers were told. */
  percent: z.number(),
});
export type RunRow = z.infer<typeof runRow>;

const stepRow = z.object({
  idx: z.number(),
  key: z.string(),
  action: z.string(),
  version: z.number(),
  domain: z.string().nullable(),
  input: json,
  state: stepState,
  attempt: z.number(),
  before: json.nullable(),
  request: json.nullable(),
  after: json.nullable(),
  result: json.nullable(),
  error: json.nullable(),
  waitsFor: z.string().nullable(),
  wish: z.enum(['retry', 'skip', 'confirm']).nullable(),
  wishBy: z.string().nullable(),
  wishFacts: json.nullable(),
  skipReason: z.string().nullable(),
});
/** As it stands in the journal; whoever holds the lease is the only one who changes it. */
export type StepRow = z.infer<typeof stepRow>;

const runColumns = `
  r.id, r.plan_id AS "planId", r.scope, r.mode, r.state, r.paused_for AS "pausedFor", r.paused_from AS "pausedFrom", r.wish,
  r.wish_by AS "wishBy", r.wish_reason AS "wishReason", r.policy, r.epoch, r.reason, r.actor,
  coalesce((SELECT (e.payload->>'percent')::float8 FROM control.run_event e WHERE e.run_id = r.id AND e.payload ? 'percent'
            ORDER BY e.seq DESC LIMIT 1), 0) AS percent`;
const stepColumns = `
  idx, key, action, version, domain, input, state, attempt, before, request, after, result, error, waits_for AS "waitsFor",
  wish, wish_by AS "wishBy", wish_facts AS "wishFacts", skip_reason AS "skipReason"`;

/** Has work for whoever gets the lease: begun and not at rest, or wished for. An emergency comes first. */
const WORKABLE = `
  (state IN ('queued', 'running', 'verifying', 'failed', 'compensating')
   OR (state = 'paused' AND (paused_for = 'lost-lease' OR wish IN ('resume', 'cancel')))
   OR (state = 'manual' AND wish = 'confirm'))`;

/** The run of a scope that is next; undefined when there is nothing to do. */
export async function nextRun(on: pg.Pool | pg.ClientBase, scope: Scope): Promise<string | undefined> {
  const { rows } = await on.query<{ id: string }>(
    `SELECT id FROM control.run WHERE scope = $1 AND ${WORKABLE}
     ORDER BY mode <> 'emergency', state = 'queued', created_at LIMIT 1`,
    [scope],
  );
  return rows[0]?.id;
}

export async function runIn(on: pg.Pool | pg.ClientBase, id: string): Promise<RunRow | undefined> {
  const { rows } = await on.query(`SELECT ${runColumns} FROM control.run r WHERE r.id = $1`, [id]);
  return z.array(runRow).parse(rows)[0];
}

export async function stepsOf(on: pg.Pool | pg.ClientBase, runId: string): Promise<StepRow[]> {
  const { rows } = await on.query(`SELECT ${stepColumns} FROM control.run_step WHERE run_id = $1 ORDER BY idx`, [
    runId,
  ]);
  return z.array(stepRow).parse(rows);
}

/** What people have said since the run was read. */
export async function wishesOf(
  on: pg.Pool | pg.ClientBase,
  runId: string,
): Promise<{
  readonly run: Pick<RunRow, 'wish' | 'wishBy' | 'wishReason'>;
  readonly steps: readonly Pick<StepRow, 'idx' | 'wish' | 'wishBy' | 'wishFacts'>[];
}> {
  const wishes = z.object({
    run: runRow.pick({ wish: true, wishBy: true, wishReason: true }),
    steps: z.array(stepRow.pick({ idx: true, wish: true, wishBy: true, wishFacts: true })),
  });
  const { rows } = await on.query(
    `SELECT json_build_object('wish', wish, 'wishBy', wish_by, 'wishReason', wish_reason) AS run,
            (SELECT coalesce(json_agg(json_build_object('idx', idx, 'wish', wish, 'wishBy', wish_by, 'wishFacts', wish_facts)), '[]')
             FROM control.run_step s WHERE s.run_id = r.id AND s.wish IS NOT NULL) AS steps
     FROM control.run r WHERE id = $1`,
    [runId],
  );
  return z.tuple([wishes]).parse(rows)[0];
}

/** The document; undefined when this build cannot read it. */
export async function planOf(on: pg.Pool | pg.ClientBase, planId: string): Promise<PlanDoc | undefined> {
  const { rows } = await on.query<{ doc: unknown }>(`SELECT doc FROM control.plan WHERE id = $1`, [planId]);
  return planDoc.safeParse(rows[0]?.doc).data;
}
