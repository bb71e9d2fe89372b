import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LiveGauge } from './live-gauge.js';
import { RequestFigures } from './request-figures.js';

const httpBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * What a process measures, made once and handed to every application that is composed in it. Labels are names that the
 * code knows (routes, domains, flags), never what a request brought.
 */
export class Metrics extends Registry {
  /** Event streams are not in it: they last as long as somebody listens. */
  readonly http: Histogram<'method' | 'route' | 'status' | 'domain'>;
  /** Connections by what they do: `total`, `idle`, and `waiting` for requests that wait for one. */
  readonly pools: LiveGauge<'database' | 'state'>;
  /** 1 for the mode that everybody without a rule of their own gets, 0 for the others. */
  readonly flagModes: LiveGauge<'flag' | 'mode'>;
  readonly overlay: LiveGauge;
  readonly overlayFailSafe: LiveGauge;
  /** The same requests by minute and module, for whoever asks later what a rollback has changed. */
  readonly requests = new RequestFigures();

  constructor(role: string, buildSha: string) {
    super();
    this.http = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer',
      labelNames: ['method', 'route', 'status', 'domain'],
      buckets: httpBuckets,
      registers: [this],
    });
    this.pools = this.live('belay_pool_connections', 'Connections of a pool by state', ['database', 'state']);
    this.flagModes = this.live('belay_flag_mode', 'Mode of each flag: 1 for the one it is in', ['flag', 'mode']);
    this.overlay = this.live('belay_overlay_seq', 'Number of the last override that is in force here', []);
    this.overlayFailSafe = this.live(
      'belay_overlay_fail_safe',
      '1 while gated flags count as off because overrides are unread',
      [],
    );
    const build = new Gauge({
      name: 'belay_build_info',
      help: 'What runs',
      labelNames: ['role', 'sha', 'node'],
      registers: [this],
    });
    build.set({ role, sha: buildSha, node: process.version }, 1);
    collectDefaultMetrics({ register: this });
  }

  private live<Label extends string = never>(name: string, help: string, labels: readonly Label[]): LiveGauge<Label> {
    return new LiveGauge(this, name, help, labels);
  }
}
