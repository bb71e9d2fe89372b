import { Module } from '@nestjs/common';
import { AuditTrail, Problem, type Domain } from '@belay/platform';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { Checks } from '../../libs/rollback/src/checks/checks.js';
import { Actions } from '../../libs/rollback/src/engine/actions.js';
import type { Actor } from '../../libs/rollback/src/engine/actor.js';
import { DryRuns } from '../../libs/rollback/src/plans/dry-run.service.js';
import type { PlanDoc, PlanTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { Planner } from '../../libs/rollback/src/plans/planner.service.js';
import { Plans, type Transact } from '../../libs/rollback/src/plans/plans.service.js';
import { Runbooks } from '../../libs/rollback/src/plans/runbooks.service.js';
import { RunReader } from '../../libs/rollback/src/runs/run-reader.service.js';
import { Runs } from '../../libs/rollback/src/runs/runs.service.js';
import { ActionRoom } from './action-room.js';
import { createDepot, depot, depotLedgers } from './depot.js';

@Module({})
class EmptyModule {}

/** Cannot live without the depot, and has no schema of its own. */
const stand: Domain = {
  name: 'stand',
  title: 'Stand',
  flag: 'enable_stand',
  after: ['depot'],
  features: [],
  module: EmptyModule,
};

const core: Domain = { name: 'core', title: 'Core', after: [], features: [], module: EmptyModule };

const { runbook: recovery } = depot;
if (!recovery) throw new Error('the depot says how it is brought back');

/** The depot with runbooks, of which one asks for everything that a runbook can. */
const depotWithRunbooks: Domain = {
  ...depot,
  runbook: {
    ...recovery,
    runbooks: [
      {
        id: 'depot-s2',
        version: 1,
        trigger: 'Rows of the depot are damaged',
        preconditions: ['A marker is known'],
        steps: [
          { key: 'off', action: 'flag.off', params: { flag: 'enable_depot' }, timeoutS: 30, onFail: 'hold' },
          { key: 'jobs', action: 'jobs.stop', params: { domain: 'depot' }, timeoutS: 60, onFail: 'hold' },
          { key: 'backup', action: 'backup.create', params: { scope: 'depot' }, timeoutS: 300, onFail: 'hold' },
          {
            key: 'rows',
            action: 'rows.restore',
            params: { domain: 'depot', mode: 'compensate' },
            optional: true,
            timeoutS: 300,
            onFail: 'compensate',
          },
          {
            key: 'down',
            action: 'migration.down',
            params: { domain: 'depot' },
            optional: true,
            timeoutS: 120,
            onFail: 'compensate',
          },
        ],
        verification: ['Every promise holds'],
        after: ['Users were told'],
        budgetS: 900,
        targetS: 60,
        dataLossRisk: 'low',
      },
    ],
  },
};

const depotDomains: readonly Domain[] = [core, depotWithRunbooks, stand];

/** A person with exactly these permissions, who signed in just now. */
export function person(id: string, ...permissions: string[]): Actor {
  return {
    id,
    name: id,
    roles: ['somebody'],
    kind: 'person',
    session: null,
    ip: null,
    authTime: Math.floor(Date.now() / 1_000),
    may: (permission) => permissions.includes(permission),
  };
}

export const maria = person('maria', 'rollback:plan', 'rollback:approve');
export const jonas = person('jonas', 'rollback:approve');
export const amina = person('amina', 'rollback:approve', 'rollback:purge', 'rollback:restore');

/** Everything that plans are made with, on databases of its own. */
export class PlanRoom {
  readonly plans: Plans;
  readonly planner: Planner;
  readonly dryRuns: DryRuns;
  readonly runbooks: Runbooks;
  readonly runs: Runs;

  private constructor(readonly room: ActionRoom) {
    const { world } = room;
    const trail = new AuditTrail(world.control);
    const known = new Actions(actions);
    this.runbooks = new Runbooks(world, known, trail);
    this.planner = new Planner(world, known, this.runbooks);
    this.plans = new Plans(world, this.planner, new Checks(world), trail);
    this.dryRuns = new DryRuns(world, known, this.plans);
    this.runs = new Runs(world, this.plans, new RunReader(world), trail);
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<PlanRoom> {
    const on = ['enable_depot', 'enable_stand'];
    const room = await ActionRoom.open({ domains: depotDomains, ledgers: depotLedgers, on, env });
    await createDepot(room.world.targets);
    return new PlanRoom(room);
  }

  /** In a transaction of its own, as a request without a key would be. */
  readonly transact: Transact = async (work) => {
    const client = await this.room.world.control.connect();
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  };

  /** The document alone: nothing is kept. */
  draft(target: PlanTarget): Promise<PlanDoc> {
    return this.planner.plan(maria, target, 'the counts are wrong');
  }

  close(): Promise<void> {
    return this.room.close();
  }
}

/** Steps as one reads them: the action and what it acts on. */
export function outline({ steps }: PlanDoc): string[] {
  return steps.map(({ action, input }) => {
    const on = input['flag'] ?? input['domain'] ?? input['domains'] ?? input['level'] ?? input['scope'];
    if (on === undefined || on === null) return action;
    return `${action} ${Array.isArray(on) ? on.join('+') : JSON.stringify(on).replaceAll('"', '')}`;
  });
}

/** What a problem is called; the message of anything else. */
export function slugOf(error: unknown): string {
  if (error instanceof Problem) return error.slug;
  return error instanceof Error ? error.message : String(error);
}
