import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database, LiveGauge, METRICS, type Metrics } from '@belay/platform';
import { Counter, Histogram } from 'prom-client';
import { heldTokens, openFindings, unassignedTokens } from './work-metrics.queries.js';

interface Instruments {
  readonly wakes: Counter;
  readonly resolverErrors: Counter;
  readonly queueWait: Histogram;
  readonly unassigned: LiveGauge;
  readonly held: LiveGauge<'hold_code'>;
  readonly findings: LiveGauge<'kind'>;
}

const made = new WeakMap<Metrics, Instruments>();

/** What there is to see of the work on the floor. Labels are names from the code. */
@Injectable()
export class WorkMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #instruments: Instruments;
  #leave: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.#instruments = instrumentsOf(metrics);
  }

  /** Tokens that were let in from a queue. */
  get wakes(): Counter {
    return this.#instruments.wakes;
  }

  get resolverErrors(): Counter {
    return this.#instruments.resolverErrors;
  }

  /** Seconds that tokens waited until they were let in. */
  get queueWait(): Histogram {
    return this.#instruments.queueWait;
  }

  onApplicationBootstrap(): void {
    const on = this.database.dataSource;
    this.#leave = [
      this.#instruments.unassigned.from(async () => {
        const [row] = await unassignedTokens(on, []);
        return [{ labels: {}, value: row?.tokens ?? 0 }];
      }),
      this.#instruments.held.from(async () =>
        (await heldTokens(on, [])).map(({ holdCode, tokens }) => ({ labels: { hold_code: holdCode }, value: tokens })),
      ),
      this.#instruments.findings.from(async () =>
        (await openFindings(on, [])).map(({ kind, findings }) => ({ labels: { kind }, value: findings })),
      ),
    ];
  }

  onApplicationShutdown(): void {
    for (const leave of this.#leave) leave();
  }
}

/** Once a process: applications come and go with the modules that are on. */
function instrumentsOf(metrics: Metrics): Instruments {
  const known = made.get(metrics);
  if (known) return known;
  const registers = [metrics];
  const buckets = [1, 10, 60, 300, 900, 3600, 14_400, 86_400];
  const now: Instruments = {
    wakes: new Counter({ name: 'production_wake_total', help: 'Tokens let in from a queue', registers }),
    resolverErrors: new Counter({
      name: 'resolver_error_total',
      help: 'Questions that the assignment policy could not answer',
      registers,
    }),
    queueWait: new Histogram({
      name: 'queue_wait_seconds',
      help: 'Time from queueing to being let in',
      buckets,
      registers,
    }),
    unassigned: new LiveGauge(metrics, 'tokens_unassigned', 'Tokens that are ready and nobody’s', []),
    held: new LiveGauge(metrics, 'tokens_held', 'Live tokens that are held', ['hold_code']),
    findings: new LiveGauge(metrics, 'findings_open', 'Findings that nobody has settled', ['kind']),
  };
  made.set(metrics, now);
  return now;
}
