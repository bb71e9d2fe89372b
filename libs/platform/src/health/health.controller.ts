import { Controller, Get, Inject } from '@nestjs/common';
import { Public } from '../auth/access.decorators.js';
import { healthOfDomains, type DomainsHealth } from '../domain/domain-health.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { domainsHealth, liveness, readiness, type Liveness, type Readiness } from './health.contract.js';
import { NotReady } from './health.problems.js';
import { Health } from './health.js';

@Controller('health')
@Public()
export class HealthController {
  constructor(
    private readonly health: Health,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  @Get('live')
  @Endpoint('Say that the process is up', { returns: liveness })
  live(): Liveness {
    return this.health.live();
  }

  @Get('ready')
  @Endpoint('Say whether the process can serve', {
    returns: readiness,
    description:
      'The application database answers, all migrations of this build are applied and flags are known. While the ' +
      'control database is away, or overrides are unread, the process still serves, and the check says so.',
    problems: ['503 not-ready'],
  })
  async ready(): Promise<Readiness> {
    const found = await this.health.ready();
    if (!found.ready) throw new NotReady(found);
    return found;
  }

  @Get('domains')
  @Endpoint('Say what is on, and what each layer says of it', { returns: domainsHealth })
  domains(): DomainsHealth {
    return healthOfDomains(this.runtime);
  }
}
