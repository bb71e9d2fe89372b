import { readConfig } from '@belay/platform';
import type { Command } from 'commander';
import type { EmbeddedPostgres } from './embedded-postgres.js';
import { LocalEnvironment } from './local-environment.js';
import { LocalState } from './local-state.js';

/** The databases of a command: those that are configured, else the ones of `belay start` for as long as it runs. */
export class LocalDatabases {
  #postgres: EmbeddedPostgres | undefined;
  #config = () => readConfig();

  /** Adds to the command that PostgreSQL is started before it, when it is ours, and let go of afterwards. */
  serve(command: Command): Command {
    return command
      .hook('preAction', async () => {
        const environment = new LocalEnvironment(new LocalState());
        this.#postgres = await environment.startPostgres();
        const variables = environment.processVariables(this.#postgres);
        this.#config = () => readConfig(variables);
      })
      .hook('postAction', () => this.#postgres?.stop());
  }

  get place(): { targets: { databaseUrl: string; controlUrl: string }; release: string } {
    const { DATABASE_URL: databaseUrl, CONTROL_DATABASE_URL: controlUrl, BUILD_SHA: release } = this.#config();
    return { targets: { databaseUrl, controlUrl }, release };
  }
}
