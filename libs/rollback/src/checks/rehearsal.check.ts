import pg from 'pg';
import { z } from 'zod';
import { readActualState } from '../plans/actual-state.queries.js';
import { passed, refused, type SafetyCheck } from './check.js';

const MOST_DAYS = 92;

const drill = z.object({
  version: z.number(),
  ok: z.boolean().nullable(),
  days: z.number().nullable(),
  at: z.date().nullable(),
});

/** S27: the runbook was rehearsed since it, and the schema, changed last. A warning: people who approve see it. */
export const rehearsalCheck: SafetyCheck = {
  id: 'S27',
  title: 'The runbook was rehearsed',
  severity: 'normal',
  phases: ['plan', 'after'],
  applies: ({ target }) => target.kind === 'runbook',

  async run({ world, plan }) {
    const { target } = plan;
    if (target.kind !== 'runbook') return passed({});
    const { rows } = await world.control.query(
      `SELECT version, last_drill_ok AS ok, last_drill_at AS at,
              extract(epoch FROM clock_timestamp() - last_drill_at)::float8 / 86400 AS days
       FROM control.runbook WHERE id = $1 ORDER BY version DESC LIMIT 1`,
      [target.runbook],
    );
    const last = z.array(drill).parse(rows)[0];
    const { domains } = await readActualState(world, plan.domains, []);
    const names = domains.flatMap(({ domain, ledger }) => (ledger.length > 0 ? [domain] : []));
    const newer = last?.at ? await migratedSince(world.application, names, last.at) : [];
    const measured = {
      drilled: last?.ok ?? null,
      days: last?.days == null ? null : Math.round(last.days),
      migratedSince: newer,
    };
    const threshold = { drilled: true, days: MOST_DAYS, migratedSince: [] };
    if (last?.ok === true && (last.days ?? Infinity) <= MOST_DAYS && newer.length === 0)
      return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'extra-step', text: 'Rehearse it in a side database', command: `belay drill ${target.runbook}` },
    ]);
  },
};

async function migratedSince(application: pg.Pool, domains: readonly string[], at: Date): Promise<string[]> {
  if (domains.length === 0) return [];
  const selects = domains.map(
    (domain) =>
      `SELECT ${pg.escapeLiteral(`${domain}/`)} || name AS name FROM public.${pg.escapeIdentifier(`${domain}_migrations`)}
       WHERE state = 'applied' AND at > $1`,
  );
  const { rows } = await application.query(`${selects.join(' UNION ALL ')} ORDER BY 1`, [at]);
  return z
    .array(z.object({ name: z.string() }))
    .parse(rows)
    .map(({ name }) => name);
}
