import { AuditTrail, inTransaction } from '@belay/platform';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { auditActor, system } from '../engine/actor.js';
import { Repeated } from '../engine/repeat.js';
import { World } from '../engine/world.js';
import { LocalJournal } from './local-journal.js';

const LOOKS_EVERY_MS = 30_000;
const RATIFIED_WITHIN = '24 hours';

/** Says so when nobody has ratified an emergency, and brings in what was written down while the database was away. */
@Injectable()
export class EmergencyUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #journal: LocalJournal;
  #work: Repeated | undefined;

  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {
    this.#journal = new LocalJournal(world.runtime.config.EMERGENCY_JOURNAL_FILE);
  }

  onApplicationBootstrap(): void {
    this.#work = new Repeated('looking after emergencies', LOOKS_EVERY_MS, this.world.runtime.log, () => this.turn());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#work?.stop();
  }

  async turn(): Promise<void> {
    await this.#journal.merge(this.trail, this.world.control);
    await this.tellOfUnratified();
  }

  /** One entry for each emergency, however many workers look. */
  private async tellOfUnratified(): Promise<void> {
    const environment = this.world.runtime.config.NODE_ENV;
    await inTransaction(this.world.control, async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay.emergency', 0))`);
      const { rows } = await client.query<{ id: string; planId: string; actor: string; level: string }>(
        `SELECT r.id, r.plan_id AS "planId", r.actor, r.level FROM control.run r
         WHERE r.mode = 'emergency' AND r.level <> 'E4' AND r.ratified_at IS NULL
           AND r.created_at < clock_timestamp() - interval '${RATIFIED_WITHIN}'
           AND NOT EXISTS (SELECT FROM control.audit_entry e WHERE e.run_id = r.id AND e.action = 'emergency.unratified')`,
      );
      for (const { id, planId, actor, level } of rows) {
        const reason = `Nobody has ratified the ${level} that ${actor} declared within ${RATIFIED_WITHIN}`;
        const entry = { action: 'emergency.unratified', subject: `run ${id}`, environment, reason, planId, runId: id };
        await this.trail.append({ actor: auditActor(system), ...entry, outcome: 'HIGH' }, client);
      }
    });
  }
}
