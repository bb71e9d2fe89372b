import { readActualState } from '../plans/actual-state.queries.js';
import { dependentsOf } from '../plans/impact.queries.js';
import type { Json } from '../engine/json.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** S10: nothing that stays rests on what goes, unless the plan binds it anew. */
export const dependentsCheck: SafetyCheck = {
  id: 'S10',
  title: 'Nothing that stays rests on it',
  severity: 'destructive',
  phases: ['plan', 'start', 'step'],
  applies: ({ steps }) =>
    steps.some(({ action }) => action === 'purge' || action === 'migration.down' || action === 'domain.restore'),

  async run({ world, plan, step }) {
    const steps = step === null ? plan.steps : [step];
    const of = (...actions: string[]) =>
      steps.flatMap(({ action, domain }) => (actions.includes(action) && domain !== null ? [domain] : []));
    const copies = steps.flatMap(({ action, input }) => (action === 'purge' ? namesIn(input['copies']) : []));
    const whole = steps.flatMap(({ action, domain, input }) =>
      action === 'purge' && domain !== null && namesIn(input['copies']).length === 0 ? [domain] : [],
    );
    const gone = (await readActualState(world, whole, [])).domains.filter(({ schema }) => schema === 'parked');
    const going = [...gone.map(({ domain }) => domain), ...copies];
    const [purged, replaced, parked] = await Promise.all(
      [going, of('domain.restore'), of('migration.down')].map((domains) => dependentsOf(world.application, domains)),
    );
    // Views are made anew with the schema that they read; whatever else points into it would be left behind.
    const left = (replaced ?? []).filter((name) => !/^(materialized )?view /.test(name));
    const against = [...(purged ?? []), ...left];
    const measured = { against };
    const threshold = { against: [] };
    const evidence = { rebound: (replaced ?? []).filter((name) => !left.includes(name)), seeFrozenRows: parked ?? [] };
    if (against.length === 0) return passed(measured, threshold, evidence);
    return refused(
      measured,
      threshold,
      [
        { kind: 'extra-step', text: 'Take down, or bind anew, what is listed, in a migration of its own' },
        { kind: 'ask', text: 'A database administrator decides what becomes of it' },
      ],
      evidence,
    );
  },
};

function namesIn(copies: Json | undefined): string[] {
  return Array.isArray(copies) ? copies.filter((copy) => typeof copy === 'string') : [];
}
