import type { World } from '../engine/world.js';
import { readActualState, type LedgerLine } from '../plans/actual-state.queries.js';
import { lossyAmong } from '../plans/lossy.queries.js';
import type { PlanDoc } from '../plans/plan.contract.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** Those whose migrations move. */
function movedBy({ steps }: PlanDoc): readonly string[] {
  const moved = steps.flatMap(({ action, domain }) =>
    (action.startsWith('migration.') || action === 'purge') && domain !== null ? [domain] : [],
  );
  return [...new Set(moved)];
}

async function ledgersOf(
  world: World,
  domains: readonly string[],
): Promise<readonly (LedgerLine & { domain: string })[]> {
  const { domains: states } = await readActualState(world, domains, []);
  return states.flatMap(({ domain, ledger }) => ledger.map((line) => ({ ...line, domain })));
}

/** S07: for every migration that was applied, somebody knows the SQL: the build's file, or the vault. */
export const migrationHashCheck: SafetyCheck = {
  id: 'S07',
  title: 'Every applied migration is known',
  severity: 'destructive',
  phases: ['plan', 'start', 'step'],
  applies: (plan) => movedBy(plan).length > 0,

  async run({ world, plan }) {
    const lines = await ledgersOf(world, movedBy(plan));
    const { rows } = await world.control.query<{ id: string }>(
      `SELECT domain || '/' || name || '/' || checksum AS id FROM control.migration_artifact WHERE domain = ANY ($1)`,
      [movedBy(plan)],
    );
    const vault = new Set(rows.map(({ id }) => id));
    const unknown = lines.filter(({ domain, name, checksum }) => {
      const built = world.ledgers.find((ledger) => ledger.domain === domain)?.checksums[`${domain}/${name}`];
      return built !== checksum && !vault.has(`${domain}/${name}/${checksum}`);
    });
    const measured = { applied: lines.length, unknown: unknown.map(({ domain, name }) => `${domain}/${name}`) };
    const threshold = { unknown: [] };
    if (unknown.length === 0) return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'extra-step', text: 'Run this from the build that applied them: it brings their SQL into the vault' },
      {
        kind: 'other-target',
        text: 'Switch the module off instead; its schema stays',
        command: 'belay plan module … --depth off',
      },
    ]);
  },
};

/** S08: what cannot be taken back from what it leaves is kept at level 4, and two people agree to it. */
export const reversibilityCheck: SafetyCheck = {
  id: 'S08',
  title: 'What cannot be taken back is kept and agreed to by two',
  severity: 'destructive',
  phases: ['plan', 'start', 'step'],
  applies: (plan) => movedBy(plan).length > 0,

  async run({ world, plan }) {
    const lines = await ledgersOf(world, movedBy(plan));
    const lossy = await lossyAmong(world.control, lines);
    const purges = plan.steps
      .filter(({ action }) => action === 'purge')
      .map(({ domain }) => `purge of ${domain ?? ''}`);
    const level = plan.backup?.level ?? 0;
    const measured = { lossy: [...lossy, ...purges], level, approvals: plan.approvals.length };
    const threshold = { level: 4, approvals: 2 };
    const kept = level >= 4 && plan.approvals.length >= 2;
    if (lossy.length + purges.length === 0 || kept) return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'extra-step', text: 'Plan it with a level-4 backup and two approvals' },
      {
        kind: 'other-target',
        text: 'Switch the module off instead; its schema stays',
        command: 'belay plan module … --depth off',
      },
    ]);
  },
};
