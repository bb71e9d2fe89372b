import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, KeptBy, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../assignment.contract.js';
import { READ_WORKLOAD } from '../availability/availability.service.js';
import { PeopleMonitorService } from './people-monitor.service.js';
import {
  monitorFilter,
  peopleMonitor,
  workloadFilter,
  workloadView,
  type MonitorFilter,
  type PeopleMonitor,
  type WorkloadFilter,
  type WorkloadView,
} from './workload.contract.js';
import { WorkloadService } from './workload.service.js';

/** Who leads a team sees it without the permission; the use case knows. */
const LEADS = 'production.token:work';

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
@Requires(READ_WORKLOAD, LEADS)
export class WorkloadController {
  constructor(
    private readonly workloads: WorkloadService,
    private readonly monitor: PeopleMonitorService,
  ) {}

  @Get('teams/:id/workload')
  @Endpoint('How the work lies on the people of a team', {
    returns: workloadView,
    problems: ['404 team-not-found'],
    description: 'For the teams of your sites, and for a team you lead.',
  })
  team(@By() by: Caller, @Param('id', { schema: id }) team: string): Promise<WorkloadView> {
    return this.workloads.team(by, team);
  }

  @Get('workloads')
  @Endpoint('How the work lies on the people of all teams', { returns: listOf(workloadView) })
  list(@By() by: Caller, @Query({ schema: workloadFilter }) query: WorkloadFilter): Promise<List<WorkloadView>> {
    return this.workloads.list(by, query);
  }

  @Get('people-monitor')
  @Endpoint('Who is there, and what they do', { returns: peopleMonitor })
  look(@By() by: Caller, @Query({ schema: monitorFilter }) query: MonitorFilter): Promise<PeopleMonitor> {
    return this.monitor.look(by, query);
  }
}
