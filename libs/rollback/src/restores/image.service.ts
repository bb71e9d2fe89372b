import type pg from 'pg';
import type { StepContext } from '../engine/action.js';
import { tagOf } from './effect.service.js';
import { tablesOf, type RestoredTable } from './restored-table.queries.js';
import { formerRows, reachGoals, type RowCounts } from './row-goal.service.js';

export interface Images {
  readonly schema: string;
  readonly suffix: string;
}

/** Where a step keeps rows as they were before it, or before it was taken back. A run may have several such steps. */
export function imagesOf({ runId, stepKey }: Pick<StepContext, 'runId' | 'stepKey'>, when: 'before' | 'after'): Images {
  return { schema: `restore_${tagOf(runId)}_${stepKey.slice(0, 4)}`, suffix: `__${when}` };
}

/** Rows of the tables as the images have them; what they were until now is kept as well. */
export async function putBackImages(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  client: pg.ClientBase,
  names: readonly string[],
): Promise<RowCounts[]> {
  const schemas = new Set(names.map((name) => name.split('.')[0] ?? ''));
  const tables: RestoredTable[] = [];
  for (const schema of schemas) tables.push(...(await tablesOf(client, schema)));
  const goals = tables
    .filter(({ schema, name }) => names.includes(`${schema}.${name}`))
    .map((table) => formerRows(table, imagesOf(ctx, 'before')));
  return reachGoals(client, goals, imagesOf(ctx, 'after'), 'as they were');
}
