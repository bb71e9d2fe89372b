import { readConfig, type Config } from '@belay/platform';
import { EmbeddedPostgres } from './embedded-postgres.js';
import type { LocalState } from './local-state.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Said in one sentence to whoever typed the command, without a stack. */
export class LocalProblem extends Error {
  override readonly name = 'LocalProblem';
}

/**
 * The environment that Belay's processes read on this machine: what the user set, and for everything that has to be
 * there what `npm start` provides.
 */
export class LocalEnvironment {
  /** The settings as the processes will read them, but for the databases when they are embedded. */
  readonly config: Config;
  /** Whether PostgreSQL is ours to start. */
  readonly embedded: boolean;

  constructor(
    private readonly state: LocalState,
    // eslint-disable-next-line no-restricted-properties -- it is handed on to the processes, which read it by readConfig()
    private readonly given: Variables = process.env,
  ) {
    const [application, control] = [given['DATABASE_URL'], given['CONTROL_DATABASE_URL']].map((url) => url ?? '');
    if ((application === '') !== (control === '')) {
      throw new LocalProblem(
        'DATABASE_URL and CONTROL_DATABASE_URL go together: set both, or none to start PostgreSQL.',
      );
    }
    this.embedded = application === '';
    this.config = readConfig(this.variables(this.embedded ? this.databases(() => 'postgres://embedded') : {}));
  }

  /** Starts the embedded server, or joins it, and makes the databases; undefined when the user brings a server. */
  async startPostgres(): Promise<EmbeddedPostgres | undefined> {
    if (!this.embedded) return undefined;
    const postgres = await startEmbedded(this.state);
    for (const name of ['belay', 'belay_control']) await postgres.ensureDatabase(name);
    return postgres;
  }

  /** Everything that the processes get; an Unleash of this machine is used unless the user named one. */
  processVariables(postgres: EmbeddedPostgres | undefined): Record<string, string> {
    const { unleash } = this.state;
    return this.variables({
      ...(postgres && this.databases((name) => postgres.url(name))),
      ...(unleash && !this.config.UNLEASH_URL && { UNLEASH_URL: unleash.url, UNLEASH_TOKEN: unleash.token }),
      ...(process.stdout.isTTY && { LOG_PRETTY: 'true' }),
    });
  }

  private databases(url: (name: string) => string): Record<string, string> {
    return { DATABASE_URL: url('belay'), CONTROL_DATABASE_URL: url('belay_control') };
  }

  /** What the user set comes first. */
  private variables(provided: Record<string, string>): Record<string, string> {
    const set = Object.entries(this.given).filter((entry): entry is [string, string] => !!entry[1]);
    const given: Record<string, string> = Object.fromEntries(set);
    if (given['SECRET_KEY'] !== undefined) return { ...provided, ...given };
    // Whoever brings the key of an installation signs as its other processes do, which derive theirs from it.
    const signing = { BELAY_SIGNING_KEY: this.state.signingKey() };
    return { ...provided, ...signing, ...given, SECRET_KEY: this.state.secretKey() };
  }
}

/** The one server of this checkout, which all commands share. */
export function startEmbedded(state: LocalState): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start({ folder: state.path('postgres'), durable: true });
}
