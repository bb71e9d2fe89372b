import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LiveGauge, METRICS, type Metrics } from '@belay/platform';
import { WorkloadService } from './workload.service.js';

const made = new WeakMap<Metrics, LiveGauge<'team'>>();

/** How unevenly the work lies on the people of each team, by its code. */
@Injectable()
export class WorkloadMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  #leave: (() => void) | undefined;

  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    private readonly workloads: WorkloadService,
  ) {}

  onApplicationBootstrap(): void {
    this.#leave = gaugeOf(this.metrics).from(async () =>
      (await this.workloads.spreads()).map(({ code, sigma }) => ({ labels: { team: code }, value: sigma })),
    );
  }

  onApplicationShutdown(): void {
    this.#leave?.();
  }
}

/** Once a process: applications come and go with the modules that are on. */
function gaugeOf(metrics: Metrics): LiveGauge<'team'> {
  const known = made.get(metrics);
  if (known) return known;
  const help = 'Standard deviation of the load of those who are there';
  const gauge = new LiveGauge(metrics, 'team_load_variance', help, ['team'] as const);
  made.set(metrics, gauge);
  return gauge;
}
