import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Executor } from '@belay/platform';
import { PeopleScope } from '../people-scope.service.js';
import { PlanNews } from '../plans/plan-news.service.js';
import { OperatorStates } from '../state/operator-states.service.js';
import type {
  DaysFilter,
  RosterView,
  SetOverride,
  SetRoster,
  SetTeamDays,
  TeamDaysView,
} from './availability.contract.js';
import { overrideOf, rosterOf, saveOverride, saveRoster, saveTeamDays, teamDaysOf } from './availability.queries.js';

export const WRITE_AVAILABILITY = 'assignment.availability:write';
export const READ_WORKLOAD = 'assignment.workload:read';

/** What is said beforehand about who is there on which day. Nobody is kept from work by what nobody has said. */
@Injectable()
export class AvailabilityService {
  constructor(
    private readonly database: Database,
    private readonly news: PlanNews,
    private readonly scope: PeopleScope,
    private readonly states: OperatorStates,
  ) {}

  async roster(by: Caller, operatorId: string, span: DaysFilter): Promise<RosterView> {
    const on = this.database.dataSource;
    await this.scope.operator(on, by, READ_WORKLOAD, operatorId);
    return rosterView(on, operatorId, span);
  }

  setRoster(by: Caller, operatorId: string, { days }: SetRoster): Promise<RosterView> {
    return this.database.transaction(by, async (tx) => {
      await this.scope.operator(tx, by, WRITE_AVAILABILITY, operatorId);
      await saveRoster(tx, [operatorId, JSON.stringify(days)]);
      await this.states.refresh(tx, [operatorId]);
      return rosterView(tx, operatorId, spanOf(days));
    });
  }

  setOverride(by: Caller, operatorId: string, override: SetOverride): Promise<RosterView> {
    return this.database.transaction(by, async (tx) => {
      await this.scope.operator(tx, by, WRITE_AVAILABILITY, operatorId);
      const { isAvailable, unavailableUntil, reasonCode, note } = override;
      await saveOverride(tx, [operatorId, isAvailable, unavailableUntil, reasonCode, note, by.accountId]);
      await this.states.refresh(tx, [operatorId]);
      return rosterView(tx, operatorId, undefined);
    });
  }

  async teamDays(by: Caller, teamId: string, span: DaysFilter): Promise<TeamDaysView> {
    const on = this.database.dataSource;
    await this.scope.team(on, by, READ_WORKLOAD, teamId);
    return { teamId, days: await teamDaysOf(on, [teamId, span.from, span.to]) };
  }

  setTeamDays(by: Caller, teamId: string, { days }: SetTeamDays): Promise<TeamDaysView> {
    return this.database.transaction(by, async (tx) => {
      await this.scope.team(tx, by, WRITE_AVAILABILITY, teamId);
      await saveTeamDays(tx, [teamId, JSON.stringify(days)]);
      // Nobody came or went, and yet work that waits for the team may be given out now.
      await this.news.changed(tx, { scope: 'unassigned', ids: {}, applyToRunning: false });
      const { from, to } = spanOf(days);
      return { teamId, days: await teamDaysOf(tx, [teamId, from, to]) };
    });
  }
}

/** From the first of the days to the last. */
function spanOf(days: readonly { readonly day: string }[]): DaysFilter {
  const sorted = days.map(({ day }) => day).sort();
  return { from: sorted.at(0) ?? '', to: sorted.at(-1) ?? '' };
}

async function rosterView(on: Executor, operatorId: string, span: DaysFilter | undefined): Promise<RosterView> {
  const [override] = await overrideOf(on, [operatorId]);
  return {
    operatorId,
    days: span ? await rosterOf(on, [operatorId, span.from, span.to]) : [],
    override: override ? { ...override, unavailableUntil: override.unavailableUntil?.toISOString() ?? null } : null,
  };
}
