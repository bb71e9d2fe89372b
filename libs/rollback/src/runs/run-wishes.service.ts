import { AuditTrail } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { auditActor, type Actor } from '../engine/actor.js';
import type { JsonObject } from '../engine/json.js';
import { wishRun, wishStep, type RunWish, type StepWish } from '../engine/wishes.js';
import { World } from '../engine/world.js';
import { checkReason, type Transact } from '../plans/plans.service.js';
import type { RunView } from './run.contract.js';
import { RunNotReady } from './run.problems.js';
import { RunReader } from './run-reader.service.js';

/** What people ask of a run that is under way; the executor heeds it at the next boundary between two steps. */
@Injectable()
export class RunWishes {
  constructor(
    private readonly world: World,
    private readonly reader: RunReader,
    private readonly trail: AuditTrail,
  ) {}

  /** Throws `run-not-found`, and `run-not-ready` when the run is in no state for that. */
  run(by: Actor, runId: string, wish: RunWish, reason: string, transact: Transact): Promise<RunView> {
    checkReason(reason);
    return transact(async (client) => {
      const { state } = await this.reader.get(runId, client);
      if (!(await wishRun(client, runId, wish, by, reason.trim()))) throw new RunNotReady(wish, 'The run', state);
      await this.remember(client, by, `run.${wish}`, runId, `run ${runId}`, reason);
      return this.reader.get(runId, client);
    });
  }

  /** The same of one step. */
  step(
    by: Actor,
    at: { readonly id: string; readonly idx: number },
    wish: StepWish,
    said: { readonly reason: string; readonly facts: JsonObject },
    transact: Transact,
  ): Promise<RunView> {
    checkReason(said.reason);
    return transact(async (client) => {
      const { state, steps } = await this.reader.get(at.id, client);
      const facts = { ...said.facts, reason: said.reason.trim() };
      if (!(await wishStep(client, at.id, at.idx, wish, by, facts))) {
        const step = steps[at.idx]?.state ?? 'not there';
        throw new RunNotReady(wish, `Step ${at.idx}`, `${step} and its run ${state}`);
      }
      await this.remember(client, by, `step.${wish}`, at.id, `run ${at.id} step ${at.idx}`, said.reason);
      return this.reader.get(at.id, client);
    });
  }

  private async remember(
    client: pg.ClientBase,
    by: Actor,
    action: string,
    runId: string,
    subject: string,
    reason: string,
  ): Promise<void> {
    const environment = this.world.runtime.config.NODE_ENV;
    await this.trail.append(
      { actor: auditActor(by), action, subject, environment, reason, runId, outcome: 'asked' },
      client,
    );
  }
}
