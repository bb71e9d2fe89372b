import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { timeNow } from '../lifecycle/lock.queries.js';
import { Clock, Commands } from '../production.command.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { CorrectionService } from './correction.service.js';
import { settleGone } from './finding.queries.js';
import { leftBehind, upkeep } from './health-check.queries.js';
import { HealthService } from './health.service.js';
import { lockSession } from './session-list.queries.js';

/** Tells supervisors of work that is forgotten, and gives back what nobody comes back to. */
@Injectable()
export class SessionUpkeep {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly clock: Clock,
    private readonly commands: Commands,
    private readonly corrections: CorrectionService,
    private readonly database: Database,
    private readonly health: HealthService,
  ) {}

  async run(by: Caller, checkpoint: () => void): Promise<void> {
    await this.abandon(by, checkpoint);
    await this.health.look(by, upkeep, checkpoint);
    await this.commands.run(by, { cause: 'repair' }, async ({ tx, at }) => {
      await settleGone(tx, [at]);
      checkpoint();
    });
  }

  private async abandon(by: Caller, checkpoint: () => void): Promise<void> {
    const on = this.database.dataSource;
    const [now] = await timeNow(on, [this.clock.given]);
    for (const { id, tokenId } of await leftBehind(on, [now?.at])) {
      await this.commands.onToken(by, tokenId, { cause: 'correct', hold: 'work' }, async (command, token) => {
        await this.assignments.lockOpen(command.tx, [tokenId]);
        const [session] = await lockSession(command.tx, [id]);
        if (session?.status === 'paused') await this.corrections.abandon(command, token, session);
        checkpoint();
      });
    }
  }
}
