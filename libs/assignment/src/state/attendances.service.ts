import { Inject, Injectable } from '@nestjs/common';
import { RUNTIME, type Executor, type Runtime } from '@belay/platform';
import { availabilityAt, type Absence } from '../resolver/availability.rules.js';
import { attendanceAt, timeNow } from './attendance.queries.js';

export interface Whereabouts {
  readonly operatorId: string;
  readonly available: boolean;
  readonly reason: Absence | null;
  readonly until: Date | null;
  /** What the people system said of it is old. */
  readonly stale: boolean;
}

/** Who is there, from the facts as they are. */
@Injectable()
export class Attendances {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  /** Of these operators, or of everybody who is or was in a team. */
  async at(on: Executor, operatorIds: readonly string[] | null, at: Date): Promise<Whereabouts[]> {
    const enforced = this.runtime.gate.featureMode('enforce_availability') !== 'off';
    return (await attendanceAt(on, [operatorIds, at])).map(({ operatorId, attendance, local }) => {
      const { available, reason, until, notes } = availabilityAt(attendance, local, at.getTime(), enforced);
      const stale = notes.includes('people_stale');
      return { operatorId, available, reason, until: until === null ? null : new Date(until), stale };
    });
  }

  async now(on: Executor, operatorIds: readonly string[] | null): Promise<Whereabouts[]> {
    return this.at(on, operatorIds, await this.time(on));
  }

  /** What the server's clock says. */
  async time(on: Executor): Promise<Date> {
    const [now] = await timeNow(on, []);
    if (!now) throw new Error('The database told no time');
    return now.at;
  }
}
