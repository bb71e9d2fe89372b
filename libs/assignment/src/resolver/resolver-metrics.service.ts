import { Inject, Injectable } from '@nestjs/common';
import { METRICS, type Metrics } from '@belay/platform';
import type { Decision } from '@belay/production';
import { Counter, Gauge, Histogram } from 'prom-client';

interface Instruments {
  readonly latency: Histogram<'method'>;
  readonly resolved: Counter<'method'>;
  readonly queued: Counter<'reason'>;
  readonly previews: Counter;
  readonly overrides: Counter<'type'>;
  readonly pins: Counter<'action'>;
  readonly errors: Counter;
  readonly share: Share;
}

/** How many of the assignments nobody had named somebody for. */
class Share {
  assigned = 0;
  automatic = 0;
}

const made = new WeakMap<Metrics, Instruments>();

/** What there is to see of decisions. Labels are names from the code. */
@Injectable()
export class ResolverMetrics {
  readonly #instruments: Instruments;

  constructor(@Inject(METRICS) metrics: Metrics) {
    this.#instruments = instrumentsOf(metrics);
  }

  decided(decisions: readonly Decision[], latencyMs: number): void {
    const { latency, resolved, queued, share } = this.#instruments;
    for (const decision of decisions) {
      latency.observe({ method: decision.method }, latencyMs);
      resolved.inc({ method: decision.method });
      if (decision.decision === 'QUEUED') queued.inc({ reason: decision.queueReason });
      if (decision.decision !== 'ASSIGNED') continue;
      share.assigned += 1;
      if (decision.method === 'AUTO') share.automatic += 1;
    }
  }

  previewed(): void {
    this.#instruments.previews.inc();
  }

  overridden(type: string): void {
    this.#instruments.overrides.inc({ type });
  }

  pinned(action: 'set' | 'unset'): void {
    this.#instruments.pins.inc({ action });
  }

  failed(decisions: number): void {
    this.#instruments.errors.inc(decisions);
  }
}

/** Once a process: applications come and go with the modules that are on. */
function instrumentsOf(metrics: Metrics): Instruments {
  const known = made.get(metrics);
  if (known) return known;
  const registers = [metrics];
  const share = new Share();
  new Gauge({
    name: 'assignment_auto_ratio',
    help: 'Share of the assignments that were chosen without a pin or a plan',
    registers,
    collect() {
      this.set(share.assigned === 0 ? 0 : share.automatic / share.assigned);
    },
  });
  const now: Instruments = {
    latency: new Histogram({
      name: 'assignment_resolve_latency_ms',
      help: 'Milliseconds that a decision took, of a batch its share',
      labelNames: ['method'],
      buckets: [0.1, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250],
      registers,
    }),
    resolved: new Counter({ name: 'assignment_resolve_total', help: 'Decisions', labelNames: ['method'], registers }),
    queued: new Counter({
      name: 'assignment_queue_total',
      help: 'Decisions to wait',
      labelNames: ['reason'],
      registers,
    }),
    previews: new Counter({ name: 'assignment_preview_total', help: 'Previews', registers }),
    overrides: new Counter({
      name: 'assignment_override_total',
      help: 'Choices that people changed',
      labelNames: ['type'],
      registers,
    }),
    pins: new Counter({
      name: 'assignment_pin_total',
      help: 'Pins set and taken off',
      labelNames: ['action'],
      registers,
    }),
    errors: new Counter({ name: 'assignment_error_total', help: 'Decisions that failed', registers }),
    share,
  };
  made.set(metrics, now);
  return now;
}
