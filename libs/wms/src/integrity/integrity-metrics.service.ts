import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database, LiveGauge, METRICS, type Metrics } from '@belay/platform';
import { resultsOf, runById } from './integrity-run.queries.js';

const gauges = new WeakMap<Metrics, LiveGauge<'check'>>();

/** What the last run of the checks found, for whoever watches; a check that could not be answered leaves a gap. */
@Injectable()
export class IntegrityMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  #leave: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.#leave = gaugeOf(this.metrics).from(async () => {
      const on = this.database.dataSource;
      const [run] = await runById(on, [null]);
      const results = run ? await resultsOf(on, [run.id]) : [];
      return results
        .filter(({ outcome }) => outcome !== 'inconclusive')
        .map(({ name, violations }) => ({ labels: { check: name }, value: violations }));
    });
  }

  onApplicationShutdown(): void {
    this.#leave?.();
  }
}

/** One a process: applications come and go with the modules that are on. */
function gaugeOf(metrics: Metrics): LiveGauge<'check'> {
  const known = gauges.get(metrics);
  if (known) return known;
  const help = 'What each check of the warehouse found when it was last run';
  const made = new LiveGauge(metrics, 'wms_integrity_failures', help, ['check']);
  gauges.set(metrics, made);
  return made;
}
