import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { timeNow } from '../lifecycle/lock.queries.js';
import { Clock } from '../production.command.js';
import { noteFindings } from './finding.queries.js';
import type { Check } from './health-check.queries.js';

/** Looks for what does not fit together, and keeps what it finds for somebody to look at. */
@Injectable()
export class HealthService {
  constructor(
    private readonly clock: Clock,
    private readonly database: Database,
  ) {}

  /** What the checks find is noted under their names; what is so no longer is resolved. Says how much is open. */
  async look(by: Caller, checks: Readonly<Record<string, Check>>, checkpoint: () => void): Promise<number> {
    let open = 0;
    for (const [kind, find] of Object.entries(checks)) {
      open += await this.database.transaction(by, async (tx) => {
        const [now] = await timeNow(tx, [this.clock.given]);
        const found = await find(tx, [now?.at]);
        const seen = found.map((one) => ({ id: randomUUIDv7(), ...one }));
        const [noted] = await noteFindings(tx, [kind, JSON.stringify(seen), now?.at]);
        checkpoint();
        return noted?.open ?? 0;
      });
    }
    return open;
  }
}
