import type { Preview } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { markedStep } from '../engine/fence.js';
import { asJson } from './effect.service.js';
import { compareKeptRows, restoreKeptRows, undoKeptRows, verifyKeptRows } from './kept-rows.service.js';
import { planMarkedRows, restoreMarkedRows, undoMarkedRows, verifyMarkedRows } from './marked-rows.service.js';
import { rowsRestoreInput } from './restore.contract.js';

/** Rows of a domain to what they were at a marker (R2), or to what a backup or a failed copy has of them (R3). */
export const rowsRestore = defineAction({
  name: 'rows.restore',
  version: 1,
  input: rowsRestoreInput,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 600,
  retries: { attempts: 1, when: () => false },
  emergency: 'never',
  compensated: true,

  async inspect(context, input) {
    if (input.path === 'R3') return asJson(await compareKeptRows(context, input));
    return asJson(await planMarkedRows(context, input));
  },

  async preview(context, input): Promise<Preview> {
    if (input.path === 'R3') {
      const { tables, refusals } = await compareKeptRows(context, input);
      const chosen = (one: (typeof tables)[number]) => input.classes.reduce((sum, name) => sum + one[name], 0);
      const rows = tables.reduce((sum, one) => sum + chosen(one), 0);
      return {
        changes: tables.map(
          ({ table, missing, changed, extra }) =>
            `${table}: ${missing} missing, ${changed} changed, ${extra} only there now; put right: ${input.classes.join(' and ')}`,
        ),
        estimatedMs: 1_000 + rows,
        lock: 'row',
        rows,
        reversible: true,
        notes: refusals.map((refusal) => `Refused: ${JSON.stringify(refusal)}`),
      };
    }
    const plan = await planMarkedRows(context, input);
    return {
      changes: [
        ...plan.tables.map(
          ({ table, inserted, updated, deleted, upserts, deletes }) =>
            `${table}: ${inserted} inserted, ${updated} updated, ${deleted} deleted since; ${upserts} put back, ${deletes} taken away`,
        ),
        ...Object.entries(plan.counterposted).map(([what, count]) => `${what}: ${count} taken back by their opposites`),
      ],
      estimatedMs: plan.estimatedSeconds * 1_000,
      lock: 'row',
      rows: plan.tables.reduce((sum, { upserts, deletes }) => sum + upserts + deletes, 0),
      reversible: true,
      notes: [
        `Hash of the plan: ${plan.hash}`,
        ...plan.tables
          .filter(({ conflicts }) => conflicts.length > 0)
          .map(({ table, conflicts }) => `${table}: ${conflicts.length} were also changed by others, and stay`),
        ...plan.refusals.map((refusal) => `Refused: ${JSON.stringify(refusal)}`),
      ],
    };
  },

  execute: (context, input) =>
    input.path === 'R3' ? restoreKeptRows(context, input) : restoreMarkedRows(context, input),
  verify: (context, input, done) =>
    input.path === 'R3' ? verifyKeptRows(context, input) : verifyMarkedRows(context, input, done),
  compensate: (context, input) => (input.path === 'R3' ? undoKeptRows(context, input) : undoMarkedRows(context, input)),

  async reconcile({ world, stepKey }) {
    const result = await markedStep(world.application, stepKey);
    return result ? { effect: 'done', result } : { effect: 'not-done' };
  },
});
