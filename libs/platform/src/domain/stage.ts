import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Domain } from './domain.js';
import type { Gate } from './gate.js';
import type { Presence } from './presence.js';

export interface StageOptions<App> {
  readonly gate: Gate;
  readonly presence: Presence;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Composes an application with exactly these domains, beside the one that runs. */
  readonly build: (enabled: readonly Domain[]) => Promise<App>;
  /** From now on this application does the work. */
  readonly show: (app: App) => void;
  /** Ends once nothing is under way in the application any more, or what is left has had its time. */
  readonly drain: (app: App) => Promise<void>;
}

const slowestRetryMs = 30_000;

/**
 * Keeps the application that runs equal to what the gate says, without a restart: builds a new one beside the old, lets
 * it take over, drains the old one and closes it. One build at a time, and the last state wins; a build that fails leaves
 * the old application at work, behind a gate that refuses what is off on every request anyway.
 */
export class Stage<App extends { close(): Promise<void> }> {
  readonly #builds: Counter<'outcome'>;
  readonly #retiring = new Set<Promise<void>>();
  #app: App | undefined;
  #composed = '';
  #working: Promise<void> | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #unsubscribe: (() => void) | undefined;

  private constructor(private readonly options: StageOptions<App>) {
    this.#builds = counterOf(options.metrics);
  }

  /** Builds the first application; throws when it cannot be built. */
  static async open<App extends { close(): Promise<void> }>(options: StageOptions<App>): Promise<Stage<App>> {
    const stage = new Stage(options);
    await stage.rebuild();
    stage.#unsubscribe = options.gate.onChange(() => {
      stage.follow();
    });
    stage.follow();
    return stage;
  }

  /** Ends when the application that runs is the one the gate asks for, or the build of it has failed. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    clearTimeout(this.#retry);
    await this.settled();
    if (this.#app) this.retire(this.#app);
    await Promise.all(this.#retiring);
  }

  private follow(): void {
    if (this.#closed || this.#working) return;
    if (nameOf(this.options.gate.enabled()) === this.#composed) return;
    clearTimeout(this.#retry);
    this.#working = this.catchUp().finally(() => {
      this.#working = undefined;
    });
  }

  private async catchUp(): Promise<void> {
    for (;;) {
      const wanted = nameOf(this.options.gate.enabled());
      if (this.#closed || wanted === this.#composed) return;
      try {
        await this.rebuild();
        this.#failures = 0;
      } catch (error) {
        if (nameOf(this.options.gate.enabled()) !== wanted) continue;
        this.#failures += 1;
        const pause = Math.min(500 * 2 ** this.#failures, slowestRetryMs);
        this.options.log.error({ err: error, retryMs: pause }, 'application not rebuilt, the last one stays');
        this.#retry = setTimeout(() => {
          this.follow();
        }, pause).unref();
        return;
      }
    }
  }

  private async rebuild(): Promise<void> {
    const { gate, presence, log, build, show } = this.options;
    const enabled = gate.enabled();
    const begun = performance.now();
    let app: App;
    try {
      app = await build(enabled);
    } catch (error) {
      this.#builds.inc({ outcome: 'failed' });
      throw error;
    }
    this.#builds.inc({ outcome: 'ok' });
    const old = this.#app;
    this.#app = app;
    this.#composed = nameOf(enabled);
    presence.booted = enabled.map(({ name }) => name);
    show(app);
    log.info({ domains: presence.booted, ms: Math.round(performance.now() - begun) }, 'application composed');
    if (old) this.retire(old);
  }

  private retire(app: App): void {
    const retirement = this.end(app).finally(() => this.#retiring.delete(retirement));
    this.#retiring.add(retirement);
  }

  private async end(app: App): Promise<void> {
    try {
      await this.options.drain(app);
      await app.close();
    } catch (error) {
      this.options.log.error({ err: error }, 'application not closed in order');
    }
  }
}

function nameOf(domains: readonly Domain[]): string {
  return domains.map(({ name }) => name).join(' ');
}

function counterOf(metrics: Registry): Counter<'outcome'> {
  return new Counter({
    name: 'belay_stage_builds_total',
    help: 'Applications composed beside the running one, by outcome',
    labelNames: ['outcome'],
    registers: [metrics],
  });
}
