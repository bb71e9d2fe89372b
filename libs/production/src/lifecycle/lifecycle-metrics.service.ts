import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database, LiveGauge, METRICS, type Metrics } from '@belay/platform';
import { Histogram } from 'prom-client';
import { waitingAtJoins } from './group.queries.js';

interface Instruments {
  readonly route: Histogram;
  readonly joinWait: Histogram;
  readonly joinBuffer: LiveGauge;
}

const made = new WeakMap<Metrics, Instruments>();

/** What there is to see of tokens on their way. */
@Injectable()
export class LifecycleMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #instruments: Instruments;
  #leave: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.#instruments = instrumentsOf(metrics);
  }

  /** Seconds that routing takes, whatever number of tokens it moves. */
  get route(): Histogram {
    return this.#instruments.route;
  }

  /** Seconds that a part waited for the last one. */
  get joinWait(): Histogram {
    return this.#instruments.joinWait;
  }

  onApplicationBootstrap(): void {
    this.#leave = this.#instruments.joinBuffer.from(async () => {
      const [row] = await waitingAtJoins(this.database.dataSource, []);
      return [{ labels: {}, value: row?.tokens ?? 0 }];
    });
  }

  onApplicationShutdown(): void {
    this.#leave?.();
  }
}

/** Once a process: applications come and go with the modules that are on. */
function instrumentsOf(metrics: Metrics): Instruments {
  const known = made.get(metrics);
  if (known) return known;
  const registers = [metrics];
  const now: Instruments = {
    route: new Histogram({
      name: 'route_seconds',
      help: 'Time that routing takes',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 3],
      registers,
    }),
    joinWait: new Histogram({
      name: 'join_wait_seconds',
      help: 'Time that a part waits for the others at its join',
      buckets: [1, 60, 300, 900, 3600, 14_400, 86_400, 604_800],
      registers,
    }),
    joinBuffer: new LiveGauge(metrics, 'join_buffer_size', 'Parts that wait for others at a join', []),
  };
  made.set(metrics, now);
  return now;
}
