import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { domains } from '@belay/domains';
import { defaultFlagsDocument, migrateAll, migrationStatus, type MigrationTargets } from '@belay/platform';
import { Command } from 'commander';
import { ledgers } from '../../../migrations/index.js';
import { alone, isHeld } from './alone.js';
import { demoAccounts, demoPassword, loadDemo } from './demo/load-demo.js';
import { BelayProcesses } from './local/belay-processes.js';
import type { EmbeddedPostgres } from './local/embedded-postgres.js';
import { FileLock } from './local/file-lock.js';
import { LocalEnvironment, LocalProblem } from './local/local-environment.js';
import { LocalState } from './local/local-state.js';
import { isPortFree } from './local/port.js';
import { Progress } from './local/progress.js';
import { StopSignal } from './local/stop-signal.js';

const endMs = 9_800;
/** For a deployment that is at work on the same databases. */
const waitMs = 60_000;

/** `belay start`: everything on this machine, until Ctrl-C. */
export function startCommand(): Command {
  return new Command('start')
    .description('starts PostgreSQL, the API and the worker on this machine, until Ctrl-C')
    .action(async () => {
      const state = new LocalState();
      await new LocalBelay(state, new LocalEnvironment(state)).run();
    });
}

/** What one `belay start` does, from the first check to the last process that ends. */
class LocalBelay {
  readonly #progress = new Progress();
  #postgres: Promise<EmbeddedPostgres | undefined> = Promise.resolve(undefined);
  #processes: BelayProcesses | undefined;
  /** The Unleash that the processes take their flags from; undefined: the file. */
  #unleash: string | undefined;

  constructor(
    private readonly state: LocalState,
    private readonly environment: LocalEnvironment,
  ) {}

  async run(): Promise<void> {
    const lock = await this.claim();
    using stop = new StopSignal();
    try {
      const work = this.work(stop);
      await Promise.race([work, stop.wait]);
      // What we stop in the middle of something fails, and nobody needs to hear of it.
      work.catch(() => undefined);
    } finally {
      await this.end();
      lock.release();
    }
  }

  /** Ends when it is stopped between two steps; throws when something goes wrong. */
  private async work(stop: StopSignal): Promise<void> {
    for (const step of [() => this.startDatabase(), () => this.prepareDatabases(), () => this.startProcesses()]) {
      await step();
      if (stop.given) return;
    }
    while (!stop.given) await this.watch(stop);
  }

  /** Everything that can be known to fail fails here, before anything is started. */
  private async claim(): Promise<FileLock> {
    const lock = FileLock.exclusive(this.state.path('start.lock'));
    if (!lock)
      throw new LocalProblem('Belay already runs in this folder: stop it first, with Ctrl-C where it was started.');
    const { HOST: host, PORT: port } = this.environment.config;
    if (port === 0 || (await isPortFree(port, host))) return lock;
    lock.release();
    throw new LocalProblem(`Port ${port} is taken: choose another, e.g. PORT=${port + 1} npm start.`);
  }

  private async startDatabase(): Promise<void> {
    if (this.environment.embedded) this.#progress.say('starting PostgreSQL');
    this.#postgres = this.environment.startPostgres();
    await this.#postgres;
  }

  private async prepareDatabases(): Promise<void> {
    const { DATABASE_URL: databaseUrl = '', CONTROL_DATABASE_URL: controlUrl = '' } = await this.variables();
    const { NODE_ENV: environment } = this.environment.config;
    await this.migrate({ databaseUrl, controlUrl });
    if (environment === 'production') return;
    if (await loadDemo(databaseUrl, environment)) this.#progress.say('demo data loaded');
  }

  /** A run that has not ended is gone on with by the worker; what it is at is not touched meanwhile. */
  private async migrate(targets: MigrationTargets): Promise<void> {
    if ((await migrationStatus(targets, ledgers)).every(({ state }) => state === 'applied')) return;
    const { BUILD_SHA: release } = this.environment.config;
    try {
      const steps = await alone(targets.controlUrl, waitMs, () => migrateAll(targets, ledgers, { release }));
      if (steps.length > 0) this.#progress.say(`${steps.length} migrations applied`);
    } catch (error) {
      if (!isHeld(error)) throw error;
      this.#progress.say('a rollback run has not ended: nothing is migrated before it has');
    }
  }

  private async startProcesses(): Promise<void> {
    this.state.keep('flags.json', () => `${JSON.stringify(defaultFlagsDocument(domains), null, 2)}\n`);
    // It was killed before it could say that it is gone.
    if (this.state.unleash && !(await answers(this.state.unleash.url))) this.state.unleash = undefined;
    this.#progress.say('starting api and worker');
    const variables = await this.variables();
    this.#unleash = variables['UNLEASH_URL'];
    this.#processes = BelayProcesses.begin(variables);
    const url = await this.#processes.ready();
    process.stdout.write(await this.welcome(url, variables));
  }

  /** Looks after what runs for a second: throws when a part of it has ended, and follows an Unleash that comes up. */
  private async watch(stop: StopSignal): Promise<void> {
    const ended = await Promise.race([this.#processes?.ended, sleep(1_000)]);
    if (ended !== undefined) throw new LocalProblem(`${ended}.`);
    if ((await this.#postgres)?.running === false) throw new LocalProblem('PostgreSQL ended unexpectedly.');
    const { UNLEASH_URL: unleash } = await this.variables();
    if (unleash === undefined || unleash === this.#unleash) return;
    this.#progress.say(`Unleash is up at ${unleash}: starting again to take the flags from there`);
    await this.#processes?.stop();
    if (!stop.given) await this.startProcesses();
  }

  /** Api, worker, PostgreSQL. Ten seconds are all it takes; a server that is slower ends by itself. */
  private async end(): Promise<void> {
    const lateness = setTimeout(() => {
      this.#processes?.kill();
      process.exit();
    }, endMs);
    const postgres = await this.#postgres.catch(() => undefined);
    if (this.#processes || postgres) this.#progress.say('stopping');
    await this.#processes?.stop();
    await postgres?.stop();
    clearTimeout(lateness);
  }

  private async variables(): Promise<Record<string, string>> {
    return this.environment.processVariables(await this.#postgres);
  }

  private async welcome(url: string, variables: Record<string, string>): Promise<string> {
    const postgres = await this.#postgres;
    const { UNLEASH_URL: unleash, DATABASE_URL: database } = variables;
    const users = demoAccounts.map(({ username }) => username);
    const lines = [
      ['API', `${url}/api`],
      ['Swagger', `${url}/docs (as a file: ${url}/docs-json)`],
      ...(this.environment.config.NODE_ENV === 'production'
        ? []
        : [['Sign in', `${users.join(', ')}; the password is ${demoPassword}`]]),
      [
        'Flags',
        unleash ?? `${relative('.', this.state.path('flags.json'))} (\`npm run unleash\` starts a real Unleash)`,
      ],
      ['Data', postgres ? relative('.', this.state.path('postgres')) : 'your own PostgreSQL server'],
      ...(postgres && database !== undefined ? [['psql', database]] : []),
    ] as const;
    const list = lines.map(([name, value]) => `  ${name.padEnd(9)} ${value}`).join('\n');
    return `\nBelay is ready after ${this.#progress.seconds} s.\n\n${list}\n\nCtrl-C stops everything; the data stays.\n`;
  }
}

async function answers(api: string): Promise<boolean> {
  return fetch(new URL('/health', api), { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
