import type { MigrationStep } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { markedStep, type Pass } from '../engine/fence.js';
import type { JsonObject } from '../engine/json.js';

const movedSoFar = z.object({ moved: z.array(z.object({ name: z.string(), rows: z.number() })) });
/** Migrations that have moved, and the rows that each has filled. */
export type Moved = z.infer<typeof movedSoFar>['moved'];

/** Beside the marker of the step: what attempts have committed that were cut off before the end. */
const soFarKey = (stepKey: string) => `${stepKey}:so-far`;

/** What earlier attempts at the step have committed. */
export async function movedSoFarBy(client: pg.ClientBase, stepKey: string): Promise<Moved> {
  return movedSoFar.safeParse(await markedStep(client, soFarKey(stepKey))).data?.moved ?? [];
}

export async function keepMoved(client: pg.ClientBase, { stepKey, runId, epoch }: Pass, moved: Moved): Promise<void> {
  await client.query(
    `INSERT INTO platform.step_marker (step_key, run_id, epoch, result) VALUES ($1, $2, $3, $4)
     ON CONFLICT (step_key) DO UPDATE SET result = excluded.result, epoch = excluded.epoch`,
    [soFarKey(stepKey), runId, epoch, JSON.stringify({ moved })],
  );
}

export function withSteps(before: Moved, steps: readonly MigrationStep[]): Moved {
  const known = new Set(before.map(({ name }) => name));
  const added = steps.filter(({ name }) => !known.has(name));
  return [...before, ...added.map(({ name, filledRows }) => ({ name, rows: filledRows }))];
}

export function movedResult(domain: string, direction: 'up' | 'down', moved: Moved, began: number): JsonObject {
  const filled = moved.filter(({ rows }) => rows > 0);
  return {
    domain,
    direction,
    moved: moved.map(({ name }) => name),
    filled,
    filledRows: filled.reduce((sum, { rows }) => sum + rows, 0),
    ms: Math.round(performance.now() - began),
  };
}
