import {
  AuditTrail,
  EMERGENCY_ROLLBACK,
  isoInstant,
  PermissionMissing,
  PLATFORM_WRITES,
  registeredFlags,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { overrideOf, writeOverride } from '../actions/override.queries.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { checkReason, type Transact } from '../plans/plans.service.js';
import { FlagUnknown, RunInProgress } from '../rollback.problems.js';
import { overrideView, type OverrideView } from './flag.contract.js';
import { EmergencyOnly, OverrideNotFound, SchemaParked } from './flag.problems.js';

const views = z.array(overrideView);

/** Flags that people switch off by hand, and let go of again; it never makes a flag true. */
@Injectable()
export class Overrides {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {}

  /** One that is off already stays whose it is. Throws `flag-unknown` and `emergency-only`. */
  async off(by: Actor, flag: string, reason: string, transact: Transact): Promise<OverrideView> {
    checkReason(reason);
    if (flag === EMERGENCY_ROLLBACK) throw new EmergencyOnly(flag);
    const known = [PLATFORM_WRITES, ...registeredFlags(this.world.domains).map((one) => one.flag)];
    if (!known.includes(flag)) throw new FlagUnknown(flag, known);
    return transact(async (client) => {
      await lock(client);
      const present = await overrideOf(client, 'live', flag);
      if (present?.off !== true) {
        const row = { off: true, reason: reason.trim(), actor: by.id, runId: null };
        await writeOverride(client, 'live', flag, row);
      }
      await this.remember(client, by, 'flag.off', flag, reason, present?.off === true ? 'off already' : 'done');
      return this.read(client, flag);
    });
  }

  /**
   * Needs more than switching off: the flag's source has its say again. Throws `override-not-found`, `run-in-progress`
   * while the run that switched it off is at work, and `schema-parked` when what would come back has no tables.
   */
  async lift(by: Actor, flag: string, reason: string, transact: Transact): Promise<OverrideView> {
    if (!by.may('rollback:switch')) {
      await this.trail.append(this.entry(by, 'flag.lift', flag, reason, 'denied: permission-missing'));
      throw new PermissionMissing('rollback:switch');
    }
    checkReason(reason);
    return transact(async (client) => {
      await lock(client);
      const present = await overrideOf(client, 'live', flag);
      if (present?.off !== true) throw new OverrideNotFound(flag);
      await this.checkFree(client, flag, present.runId);
      const row = { off: false, reason: reason.trim(), actor: by.id, runId: null };
      await writeOverride(client, 'live', flag, row);
      await this.remember(client, by, 'flag.lift', flag, reason, 'done');
      return this.read(client, flag);
    });
  }

  private async checkFree(client: pg.ClientBase, flag: string, runId: string | null): Promise<void> {
    const { rowCount } = await client.query(
      `SELECT FROM control.run WHERE id = $1 AND state IN ('queued', 'running', 'paused', 'verifying', 'failed', 'compensating', 'manual')`,
      [runId],
    );
    if (runId !== null && rowCount === 1) throw RunInProgress.notEnded(runId, `Run ${runId} has switched ${flag} off`);
    const domain = registeredFlags(this.world.domains).find((one) => one.flag === flag)?.domain.name;
    const { rows } = await client.query<{ object: string }>(
      `SELECT object FROM control.parked_object
       WHERE kind = 'schema' AND taken_back_at IS NULL AND ($1::text IS NULL OR domain = $1) ORDER BY object`,
      [domain ?? null],
    );
    const needed = domain === undefined && flag !== EMERGENCY_ROLLBACK ? [] : await this.stillOn(client, flag, rows);
    if (needed.length > 0) throw new SchemaParked(flag, needed);
  }

  /** Of what is parked, what no other override keeps off. */
  private async stillOn(
    client: pg.ClientBase,
    flag: string,
    parked: readonly { readonly object: string }[],
  ): Promise<string[]> {
    const { rows } = await client.query<{ flag: string }>(
      `SELECT flag FROM control.flag_override WHERE scope = 'live' AND off AND flag <> $1`,
      [flag],
    );
    const off = new Set(rows.map((row) => row.flag));
    return parked.flatMap(({ object }) => {
      const domain = this.world.domains.find(({ name }) => name === object);
      const keptOff = domain?.flag !== undefined && off.has(domain.flag);
      return keptOff ? [] : [object];
    });
  }

  private async read(client: pg.ClientBase, flag: string): Promise<OverrideView> {
    const { rows } = await client.query(`${overrideColumns} AND flag = $1`, [flag]);
    return z.tuple([overrideView]).parse(rows)[0];
  }

  /** Every row there is, lifted ones too. */
  async all(): Promise<readonly OverrideView[]> {
    const { rows } = await this.world.control.query(overrideColumns);
    return views.parse(rows);
  }

  private async remember(
    client: pg.ClientBase,
    by: Actor,
    action: string,
    flag: string,
    reason: string,
    outcome: string,
  ): Promise<void> {
    await this.trail.append(this.entry(by, action, flag, reason, outcome), client);
  }

  private entry(by: Actor, action: string, flag: string, reason: string, outcome: string) {
    const environment = this.world.runtime.config.NODE_ENV;
    return { actor: auditActor(by), action, subject: flag, environment, reason: reason.trim(), outcome };
  }
}

const overrideColumns = `
  SELECT flag, off, seq::text AS seq, reason, actor, run_id AS "runId",
         ${isoInstant('at')} AS at
  FROM control.flag_override WHERE scope = 'live'`;

/** Two people at one flag see each other's word; runs write under the same numbering. */
async function lock(client: pg.ClientBase): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('control.flag_override', 0))`);
}
