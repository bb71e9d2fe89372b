import { z } from 'zod';
import type { JsonObject } from '../engine/json.js';
import { readActualState } from '../plans/actual-state.queries.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** S09: nothing stands in a schema that must not be there when it is parked. Counted again inside the transaction that parks. */
export const guardCheck: SafetyCheck = {
  id: 'S09',
  title: 'No rows forbid it',
  severity: 'destructive',
  phases: ['plan', 'start', 'step'],
  applies: ({ steps }) => steps.some(({ action }) => action === 'migration.down'),

  async run({ world, plan, step }) {
    const parked = (step === null ? plan.steps : [step]).filter(({ action }) => action === 'migration.down');
    const names = parked.flatMap(({ domain }) => (domain === null ? [] : [domain]));
    const { domains } = await readActualState(world, names, []);
    const counted: JsonObject[] = [];
    for (const { domain, schema } of domains) {
      if (schema !== 'live') continue;
      const guards = world.domains.find(({ name }) => name === domain)?.runbook?.guards ?? [];
      for (const { object, mode, count } of guards) {
        const { rows } = await world.application.query(count);
        const [row] = z.array(z.record(z.string(), z.coerce.number())).parse(rows);
        counted.push({ object, mode, rows: Object.values(row ?? {})[0] ?? 0 });
      }
    }
    const against = counted.filter(({ mode, rows }) => mode !== 'park' && Number(rows) > 0);
    const measured = { against };
    const threshold = { against: [] };
    if (against.length === 0) return passed(measured, threshold, { counted });
    return refused(
      measured,
      threshold,
      [
        { kind: 'wait-until', text: 'Finish or give up what is under way, until these counts are 0' },
        {
          kind: 'other-target',
          text: 'Switch the module off instead; nothing is parked',
          command: 'belay plan module … --depth off',
        },
      ],
      { counted },
    );
  },
};
