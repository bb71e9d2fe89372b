import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, KeptBy, Requires, type Caller } from '@belay/platform';
import { id } from '../assignment.contract.js';
import {
  daysFilter,
  rosterView,
  setOverride,
  setRoster,
  setTeamDays,
  teamDaysView,
  type DaysFilter,
  type RosterView,
  type SetOverride,
  type SetRoster,
  type SetTeamDays,
  type TeamDaysView,
} from './availability.contract.js';
import { AvailabilityService, READ_WORKLOAD, WRITE_AVAILABILITY } from './availability.service.js';

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
export class AvailabilityController {
  constructor(private readonly availability: AvailabilityService) {}

  @Get('operators/:id/availability')
  @Requires(READ_WORKLOAD)
  @Endpoint('Read when a person is there', { returns: rosterView, problems: ['404 operator-not-found'] })
  roster(
    @By() by: Caller,
    @Param('id', { schema: id }) operator: string,
    @Query({ schema: daysFilter }) query: DaysFilter,
  ): Promise<RosterView> {
    return this.availability.roster(by, operator, query);
  }

  @Put('operators/:id/availability')
  @Requires(WRITE_AVAILABILITY)
  @Endpoint('Say when a person is there', {
    returns: rosterView,
    problems: ['404 operator-not-found'],
    description: 'Other days and shifts stay as they are. What the people system says goes first.',
  })
  setRoster(
    @By() by: Caller,
    @Param('id', { schema: id }) operator: string,
    @Body({ schema: setRoster }) body: SetRoster,
  ): Promise<RosterView> {
    return this.availability.setRoster(by, operator, body);
  }

  @Put('operators/:id/override')
  @Requires(WRITE_AVAILABILITY)
  @Endpoint('Take a person out of the work for a while, or back', {
    returns: rosterView,
    problems: ['404 operator-not-found'],
    description: 'Counts at once, and more than any roster.',
  })
  setOverride(
    @By() by: Caller,
    @Param('id', { schema: id }) operator: string,
    @Body({ schema: setOverride }) body: SetOverride,
  ): Promise<RosterView> {
    return this.availability.setOverride(by, operator, body);
  }

  @Get('teams/:id/availability')
  @Requires(READ_WORKLOAD)
  @Endpoint('Read on which days a team works', { returns: teamDaysView, problems: ['404 team-not-found'] })
  teamDays(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @Query({ schema: daysFilter }) query: DaysFilter,
  ): Promise<TeamDaysView> {
    return this.availability.teamDays(by, team, query);
  }

  @Put('teams/:id/availability')
  @Requires(WRITE_AVAILABILITY)
  @Endpoint('Say on which days a team works', {
    returns: teamDaysView,
    problems: ['404 team-not-found'],
    description: 'A day of which nothing is said is a working day.',
  })
  setTeamDays(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @Body({ schema: setTeamDays }) body: SetTeamDays,
  ): Promise<TeamDaysView> {
    return this.availability.setTeamDays(by, team, body);
  }
}
