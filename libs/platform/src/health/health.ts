import { setTimeout as sleep } from 'node:timers/promises';
import type { OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import type { Ledger } from '../migrations/ledger.js';
import type { Runtime } from '../runtime.js';
import type { HealthCheck, Liveness, Readiness } from './health.contract.js';
import { ExpectedMigrations } from './unapplied.js';

const patienceMs = 2_000;
const mostNamed = 5;

/** Answers what is in order, or throws `NotInOrder` with a sentence that anybody may read. */
export type Look = () => string | Promise<string>;

export class NotInOrder extends Error {
  override readonly name = 'NotInOrder';
}

/** Migrations that this build needs and that never ran. */
class NotApplied extends NotInOrder {}

/**
 * Without the control database a process goes on with what it knows and takes gated modules for off soon after: worse
 * than whole, better than nothing. If every process were taken out of service for it, the core would be gone as well.
 */
const serviceable = new Set(['control-database', 'control-migrations', 'overlay']);

/**
 * Whether this process works and whether it can serve. Looks through two connections of its own, so that a busy pool is
 * no reason to take a process out of service; however many ask, one look is under way at a time.
 */
export class Health implements OnApplicationShutdown {
  readonly #application: pg.Pool;
  readonly #control: pg.Pool;
  readonly #inApplication: ExpectedMigrations;
  readonly #inControl: ExpectedMigrations;
  #looking: Promise<Readiness> | undefined;
  #wasReady = true;

  constructor(
    private readonly runtime: Runtime,
    ledgers: readonly Ledger[],
    /** What else must be in order here, by name. */
    private readonly more: Readonly<Record<string, Look>> = {},
  ) {
    this.#application = probePool(runtime.config.DATABASE_URL);
    this.#control = probePool(runtime.config.CONTROL_DATABASE_URL);
    this.#inApplication = new ExpectedMigrations(ledgers, 'application');
    this.#inControl = new ExpectedMigrations(ledgers, 'control');
  }

  /** That there is an answer at all says that the process is up and its event loop turns. */
  live(): Liveness {
    return { status: 'up', uptimeSeconds: Math.round(process.uptime()) };
  }

  /** Answers within about two seconds, whatever hangs. */
  ready(): Promise<Readiness> {
    this.#looking ??= this.look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.#application.end(), this.#control.end()]);
  }

  private async look(): Promise<Readiness> {
    const looks: Record<string, Look> = {
      'application-database': () => answers(this.#application),
      'control-database': () => answers(this.#control),
      migrations: () => this.applied(this.#inApplication, this.#application),
      'control-migrations': () => this.applied(this.#inControl, this.#control),
      flags: () => this.flags(),
      overlay: () => this.overlay(),
      ...this.more,
    };
    const seen = await Promise.all(Object.entries(looks).map(([name, look]) => this.check(name, look)));
    const failed = seen.filter(({ check }) => !check.ok);
    const ready = failed.every(({ check, error }) => serviceable.has(check.name) && !(error instanceof NotApplied));
    if (ready !== this.#wasReady) {
      if (ready) this.runtime.log.info('ready');
      else this.runtime.log.warn({ failed: failed.map(({ check, error }) => ({ ...check, err: error })) }, 'not ready');
    }
    this.#wasReady = ready;
    return { ready, checks: seen.map(({ check }) => check) };
  }

  private async check(name: string, look: Look): Promise<{ check: HealthCheck; error?: unknown }> {
    const stop = new AbortController();
    const tooLate = sleep(patienceMs, undefined, { signal: stop.signal }).then(() => {
      throw new NotInOrder(`no answer within ${patienceMs / 1_000} s`);
    });
    tooLate.catch(() => undefined);
    try {
      return { check: { name, ok: true, detail: await Promise.race([look(), tooLate]) } };
    } catch (error) {
      const detail = error instanceof NotInOrder ? error.message : 'does not answer';
      return { check: { name, ok: false, detail }, error };
    } finally {
      stop.abort();
    }
  }

  private async applied(expected: ExpectedMigrations, pool: pg.Pool): Promise<string> {
    const { domains, gate } = this.runtime;
    const isOff = (domain: string) => domains.some(({ name }) => name === domain) && gate.domainMode(domain) === 'off';
    const unapplied = await expected.unapplied(pool, isOff);
    if (unapplied.length === 0) return 'applied';
    const more = unapplied.length > mostNamed ? ` and ${unapplied.length - mostNamed} more` : '';
    throw new NotApplied(`not applied: ${unapplied.slice(0, mostNamed).join(', ')}${more}`);
  }

  /** A process does not start without flags and never forgets them, so a source that is away now is only told. */
  private flags(): string {
    const { origin, agreedAt } = this.runtime.flags;
    return `from ${origin}${agreedAt ? `, as of ${agreedAt.toISOString()}` : ''}`;
  }

  private overlay(): string {
    const { failSafe, readAt, seq } = this.runtime.overlay;
    if (failSafe) throw new NotInOrder('unread for too long, gated flags count as off');
    return `at ${seq}, as of ${readAt?.toISOString() ?? 'never'}`;
  }
}

function probePool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: 'belay-health',
    max: 1,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
    statement_timeout: patienceMs,
  });
  pool.on('error', () => undefined);
  return pool;
}

async function answers(pool: pg.Pool): Promise<string> {
  await pool.query('SELECT');
  return 'answers';
}
