import { z } from 'zod';
import type { JsonObject } from '../engine/json.js';
import { readActualState } from '../plans/actual-state.queries.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** Of a plan everything is looked at; after an emergency as much as that allows. */
const SAMPLE_MS = 5_000;
const WHOLE_MS = 9_000;
const MOST_LISTED = 5;

/** S16: constraints hold, and what the domains promise of their rows is true. What is not reached in time is not known. */
export const integrityCheck: SafetyCheck = {
  id: 'S16',
  title: 'The rows are sound',
  severity: 'normal',
  phases: ['plan', 'after'],
  applies: ({ steps, target }) => target.kind === 'emergency' || steps.some(({ destructive }) => destructive),

  async run({ world, plan, signal }) {
    const until = performance.now() + (plan.target.kind === 'emergency' ? SAMPLE_MS : WHOLE_MS);
    const { domains } = await readActualState(world, plan.domains, []);
    const live = domains.filter(({ schema }) => schema === 'live').map(({ domain }) => domain);
    const { rows } = await world.application.query(
      `SELECT format('%I of %I.%I', k.conname, n.nspname, (SELECT relname FROM pg_class WHERE oid = k.conrelid)) AS name FROM pg_constraint k
       JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname = ANY ($1) AND NOT k.convalidated ORDER BY 1`,
      [live],
    );
    const unvalidated = z
      .array(z.object({ name: z.string() }))
      .parse(rows)
      .map(({ name }) => name);
    const violated: JsonObject[] = [];
    const unknown: string[] = [];
    for (const domain of world.domains.filter(({ name }) => live.includes(name))) {
      for (const { name, holds, find } of domain.runbook?.invariants ?? []) {
        if (signal.aborted || performance.now() > until) {
          unknown.push(name);
          continue;
        }
        const found = await find(world.application, MOST_LISTED);
        if (found.length > 0) violated.push({ name, holds, rows: found.length, first: JSON.stringify(found[0]) });
      }
    }
    const measured = { unvalidated, violated, unknown };
    const threshold = { unvalidated: [], violated: [], unknown: [] };
    if (unvalidated.length + violated.length + unknown.length === 0) return passed(measured, threshold);
    return refused(
      measured,
      threshold,
      [
        {
          kind: 'other-target',
          text: 'Repair the rows first: R2 to a marker, or R3 from a backup',
          command: 'belay restore rows …',
        },
        { kind: 'ask', text: 'Whoever approves sees what is violated, and decides' },
      ],
      {},
      violated.length + unvalidated.length > 0 ? 'fail' : 'inconclusive',
    );
  },
};
