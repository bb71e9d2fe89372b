import type { Domain } from '@belay/platform';
import type { JsonObject } from '../engine/json.js';
import { gatesOf, goingWith } from './domain-order.rules.js';
import { offChanges, schemaChange, stateOf, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { NothingToDo, TargetIncomplete, TargetUnknown } from './plan.problems.js';
import type { StepWish } from './plan-step.rules.js';
import { backup, jobsStart, marker, migrationUp, switchOff, verifyAll, verifyDomain } from './step-wish.rules.js';

type RestoreTarget = Extract<PlanTarget, { kind: 'restore' }>;

/** What was damaged is kept at this level before anything is put back. */
const BEFORE_ROWS = 2;

/**
 * A way back for rows, a domain or everything. The module stays off at the end: a person who has looked lets it on
 * again. Its queue goes on by then, and the gate holds it.
 */
export function draftRestore(world: PlanningWorld, target: RestoreTarget): PlanDraft {
  if (target.path === 'R5') return draftDatabase(world, target);
  const { domain: name } = target;
  if (name === undefined) throw new TargetIncomplete(['domain']);
  const domain = world.domains.find((one) => one.name === name);
  if (!domain)
    throw new TargetUnknown(
      `module ${name}`,
      world.domains.map((one) => one.name),
    );
  switch (target.path) {
    case 'R1':
      return draftUnpark(world, domain);
    case 'R2':
    case 'R3':
      return draftRows(world, domain, target);
    case 'R4':
      return draftDomain(world, domain, target);
  }
}

function draftUnpark(world: PlanningWorld, domain: Domain): PlanDraft {
  const coming = [...parents(world.domains, domain), domain].filter(
    ({ name }) => stateOf(world, name).schema === 'parked',
  );
  if (coming.length === 0) throw new NothingToDo(`${domain.name} is not parked`);
  const names = coming.map(({ name }) => name);
  const going = goingWith(world.domains, coming[0]?.name ?? domain.name);
  return {
    ...around(world, going),
    dataLossRisk: 'none',
    budgetS: 300,
    targetS: 10,
    backup: null,
    wishes: framed(going, [...names.map(migrationUp)]),
    changes: names.map((name) => schemaChange(world, name, 'live')),
    warnings: [],
    notes: ['Every row comes back as it was parked; rows written meanwhile get the declared fill'],
  };
}

function draftRows(world: PlanningWorld, domain: Domain, target: RestoreTarget): PlanDraft {
  const going = goingWith(world.domains, domain.name);
  const input = target.path === 'R2' ? markedRows(domain.name, target) : keptRows(domain.name, target);
  const step: StepWish = { key: `rows:${domain.name}`, action: 'rows.restore', domain: domain.name, input };
  return {
    ...around(world, going),
    dataLossRisk: 'low',
    budgetS: 900,
    targetS: 60,
    backup: { scope: [domain.name], level: BEFORE_ROWS },
    wishes: framed(going, [
      marker(`before ${target.path} of ${domain.name}`),
      ...backup([domain.name], BEFORE_ROWS),
      step,
    ]),
    changes: [
      ...offChanges(world, going),
      { component: `rows of ${target.tables?.join(', ') ?? domain.name}`, from: 'as they are', to: source(target) },
    ],
    warnings: [],
    notes: ['The rows as they are now are kept beside', ...(domain.runbook?.dataLoss.map(({ note }) => note) ?? [])],
  };
}

function markedRows(domain: string, target: RestoreTarget): JsonObject {
  const { markerId, tables, only, excludeActors, planHash } = target;
  if (markerId === undefined) throw new TargetIncomplete(['markerId']);
  return {
    path: 'R2',
    domain,
    markerId,
    ...(tables && { tables }),
    ...(only && { mode: 'selective', only: { actors: only.actors ?? null, keys: only.keys ?? null } }),
    ...(excludeActors && { excludeActors }),
    ...(planHash !== undefined && { planHash }),
  };
}

function keptRows(domain: string, target: RestoreTarget): JsonObject {
  const { backupId, failedSchema, failedDatabase, tables, classes } = target;
  const open = [
    ...((backupId ?? failedSchema ?? failedDatabase) === undefined ? ['backupId, failedSchema or failedDatabase'] : []),
    ...(tables === undefined ? ['tables'] : []),
  ];
  if (tables === undefined || open.length > 0) throw new TargetIncomplete(open);
  return {
    path: 'R3',
    domain,
    tables,
    ...(backupId !== undefined && { backupId }),
    ...(failedSchema !== undefined && { failedSchema }),
    ...(failedDatabase !== undefined && { failedDatabase }),
    ...(classes && { classes }),
  };
}

function draftDomain(world: PlanningWorld, domain: Domain, target: RestoreTarget): PlanDraft {
  const { backupId } = target;
  if (backupId === undefined) throw new TargetIncomplete(['backupId']);
  const going = goingWith(world.domains, domain.name);
  const input = { domain: domain.name, backupId };
  return {
    ...around(world, going),
    dataLossRisk: 'medium',
    budgetS: 900,
    targetS: 60,
    backup: { scope: [domain.name], level: 4 },
    wishes: framed(going, [
      marker(`before R4 of ${domain.name}`),
      { key: `restore:${domain.name}`, action: 'domain.restore', domain: domain.name, input },
    ]),
    changes: [
      ...offChanges(world, going),
      {
        component: `schema ${domain.name}`,
        from: 'as it is, kept under its failed name',
        to: `as in backup ${backupId}`,
      },
    ],
    warnings: [],
    notes: ['Rows written since the backup are in the failed copy, and are listed', 'The failed copy can feed R3'],
  };
}

function draftDatabase(world: PlanningWorld, target: RestoreTarget): PlanDraft {
  const { backupId } = target;
  if (backupId === undefined) throw new TargetIncomplete(['backupId']);
  const input = { scope: 'application', backupId };
  return {
    domains: [...world.domains].reverse().map(({ name }) => name),
    policy: 'compensate',
    dataLossRisk: 'medium',
    unavailable: ['Every write, for about two seconds'],
    budgetS: 900,
    targetS: 120,
    backup: { scope: world.state.domains.map(({ domain }) => domain), level: 4 },
    // It stops all writes by itself, for the two seconds of the swap.
    wishes: [{ key: 'restore', action: 'database.restore', domain: null, input }, verifyAll],
    changes: [
      {
        component: 'the application database',
        from: 'as it is, kept under its failed name',
        to: `as in backup ${backupId}`,
      },
    ],
    warnings: ['Whatever was written since the backup is only in the failed database; it is listed first'],
    notes: ['The control database, and with it this memory, stays as it is'],
  };
}

/** Flags first, jobs second, then the work, a look, and queues that go on behind a gate that is shut. */
function framed(going: readonly Domain[], work: readonly StepWish[]): readonly StepWish[] {
  const stopped = going.filter((domain) => gatesOf(domain).length > 0).map(({ name }) => name);
  return [
    ...switchOff(going),
    ...work,
    ...going.map(({ name }) => verifyDomain(name)),
    ...[...stopped].reverse().map((name) => jobsStart(name)),
    verifyAll,
  ];
}

function around(world: PlanningWorld, going: readonly Domain[]) {
  return {
    domains: going.map(({ name }) => name),
    policy: 'compensate',
    unavailable: going.map(({ title }) => title),
  } as const;
}

function parents(domains: readonly Domain[], domain: Domain): readonly Domain[] {
  return domains.filter((one) => one.name !== domain.name && goingWith(domains, one.name).includes(domain));
}

function source({ path, markerId, backupId, failedSchema, failedDatabase }: RestoreTarget): string {
  return path === 'R2' ? `as at marker ${markerId ?? ''}` : `as in ${backupId ?? failedSchema ?? failedDatabase ?? ''}`;
}
