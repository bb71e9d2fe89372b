import { AuditTrail, EMERGENCY_ROLLBACK, isoInstant } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { overrideOf, writeOverride } from '../actions/override.queries.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { gatesOf, goingWith } from '../plans/domain-order.rules.js';
import { NotGated, TargetUnknown } from '../plans/plan.problems.js';
import type { NewEmergency } from './emergency.contract.js';

/** What was switched off at the first moment of an emergency; written down with the request, and answered again to the same. */
export interface Stopped {
  readonly emergencyId: string;
  readonly t0: string;
  readonly flags: readonly string[];
  /** What processes have to acknowledge. */
  readonly seq: string;
}

/** The first act of every emergency: one row for each flag, which needs nothing but the control database. */
@Injectable()
export class OverlayStop {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {}

  /** The flags of a level. Throws `target-unknown` and `not-gated`. */
  flagsOf({ level, ...rest }: NewEmergency): readonly string[] {
    const module = 'module' in rest ? rest.module : undefined;
    if (module === undefined) return [EMERGENCY_ROLLBACK];
    const { domains } = this.world;
    const domain = domains.find(({ name }) => name === module);
    if (!domain) {
      throw new TargetUnknown(
        `module ${module} for ${level}`,
        domains.map(({ name }) => name),
      );
    }
    if (domain.flag === undefined) throw new NotGated(module);
    return goingWith(domains, module).flatMap(gatesOf);
  }

  /** In the transaction of the request. What is off already stays whose it is. */
  async stop(
    client: pg.ClientBase,
    by: Actor,
    emergencyId: string,
    { level, reason, flags }: { level: string; reason: string; flags: readonly string[] },
  ): Promise<Stopped> {
    // One after the other, so that two who declare it at once do not wait for each other crosswise.
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay.emergency', 0))`);
    let last = 0n;
    for (const flag of flags) {
      const present = await overrideOf(client, 'live', flag);
      const row = { off: true, reason, actor: by.id, runId: emergencyId };
      const seq = present?.off === true ? present.seq : await writeOverride(client, 'live', flag, row);
      if (BigInt(seq) > last) last = BigInt(seq);
    }
    await this.trail.append(
      {
        actor: auditActor(by),
        action: 'emergency.declare',
        subject: `${level} ${flags.join(' ')}`,
        environment: this.world.runtime.config.NODE_ENV,
        reason,
        runId: emergencyId,
        outcome: 'flags off',
      },
      client,
    );
    const { rows } = await client.query<{ t0: string }>(`SELECT ${isoInstant('clock_timestamp()')} AS t0`);
    return { emergencyId, t0: rows[0]?.t0 ?? '', flags, seq: String(last) };
  }
}
