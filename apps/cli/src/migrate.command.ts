import {
  migrateAll,
  migrateDown,
  migrateUp,
  type MigrationStatus,
  migrationStatus,
  type MigrationStep,
  type MigrationTargets,
  Problem,
  readConfig,
} from '@belay/platform';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { ledgers } from '../../../migrations/index.js';
import { sentenceFor } from './failure.js';

interface Place {
  readonly targets: MigrationTargets;
  readonly release: string;
}

interface Flags {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  /** Seconds. */
  readonly wait: number;
}

/** What is printed, and the process's exit code: 0 done, 1 error, 2 refused, 6 another runner is at work. */
interface Answer {
  readonly text: string;
  readonly json: unknown;
  readonly code: number;
}

/** `belay migrate up|down|status`; `place` says which databases, `print` takes the answer. */
export function migrateCommand(
  place: () => Place = configured,
  print: (answer: string) => void = (answer) => process.stdout.write(answer),
): Command {
  const migrate = new Command('migrate').description(
    'takes the schema of each domain up or down; down keeps every row',
  );

  const answer = async (json: boolean | undefined, work: () => Promise<Answer>) => {
    const { text, json: document, code } = await work().catch(failure);
    print(json === true ? `${JSON.stringify(document, null, 2)}\n` : `${text}\n`);
    process.exitCode = code;
  };

  command('up', 'brings one domain up, or all of them')
    .addArgument(new Argument('[domain]', 'only this one'))
    .option('--to <name>', 'stop behind this migration; needs a domain')
    .option('--dry-run', 'print the SQL, having tried it in a transaction that is rolled back')
    .addOption(waiting())
    .action((domain: string | undefined, { to, dryRun = false, json, wait }: Flags) =>
      answer(json, async () => {
        const { targets, release } = place();
        if (domain === undefined && to !== undefined)
          throw new Error('--to needs a domain: belay migrate up <domain> --to <name>');
        const options = { to, dryRun, release, waitMs: wait * 1_000 };
        const steps = await (domain === undefined
          ? migrateAll(targets, ledgers, options)
          : migrateUp(targets, ledgers, domain, options));
        return moved(steps, 'up', dryRun);
      }),
    );

  command('down', 'parks what a domain made, newest migration first')
    .addArgument(new Argument('<domain>', 'which one; there is no default'))
    .option('--to <name>', 'the migration that stays applied; without it the whole domain goes down')
    .option('--dry-run', 'print the SQL, having tried it in a transaction that is rolled back')
    .addOption(waiting())
    .action((domain: string, { to, dryRun = false, json, wait }: Flags) =>
      answer(json, async () => {
        const { targets, release } = place();
        return moved(
          await migrateDown(targets, ledgers, domain, { to, dryRun, release, waitMs: wait * 1_000 }),
          'down',
          dryRun,
        );
      }),
    );

  command('status', 'lists every migration and whether it is applied')
    .addArgument(new Argument('[domain]', 'only this one'))
    .action((domain: string | undefined, { json }: Flags) =>
      answer(json, async () => listed(await migrationStatus(place().targets, ledgers, domain))),
    );

  return migrate;

  function command(name: string, description: string): Command {
    return migrate.command(name).description(description).option('--json', 'print JSON');
  }
}

function waiting(): Option {
  return new Option('--wait <seconds>', 'for another runner').default(300).argParser((text) => {
    if (/^\d{1,5}$/.test(text)) return Number(text);
    throw new InvalidArgumentError('A number of seconds is expected.');
  });
}

function configured(): Place {
  const config = readConfig();
  return {
    targets: { databaseUrl: config.DATABASE_URL, controlUrl: config.CONTROL_DATABASE_URL },
    release: config.BUILD_SHA,
  };
}

function moved(steps: readonly MigrationStep[], direction: 'up' | 'down', dryRun: boolean): Answer {
  const count = steps.length === 1 ? '1 migration' : `${steps.length} migrations`;
  const lines = steps.map((step) => (dryRun ? sqlOf(step) : lineOf(step)));
  const end =
    steps.length === 0
      ? `Nothing to do: ${direction === 'up' ? 'everything is applied' : 'nothing is applied that could go down'}.`
      : dryRun
        ? `-- ${count} would go ${direction}. Nothing was changed.`
        : `${count} went ${direction}.`;
  return { text: [...lines, end].join('\n'), json: { dryRun, steps }, code: 0 };
}

function lineOf({ domain, name, direction, source, filledRows }: MigrationStep): string {
  const notes = [
    ...(source === 'vault' ? ['with the SQL of the vault'] : []),
    ...(filledRows > 0 ? [`${filledRows} rows written meanwhile were filled`] : []),
  ];
  return [`${domain}/${name} ${direction}`, ...notes].join(', ');
}

function sqlOf({ domain, name, direction, sql }: MigrationStep): string {
  return [`-- ${domain}/${name} ${direction}`, ...sql.map((statement) => `${statement};`), ''].join('\n');
}

function listed(statuses: readonly MigrationStatus[]): Answer {
  const notes = { same: '', changed: ', changed since', missing: ', not in this build' };
  const lines = statuses.map(
    ({ domain, name, state, at, build }) =>
      `${state.padEnd(8)} ${domain}/${name}${notes[build]}${at ? ` (${at.toISOString()})` : ''}`,
  );
  const count = (state: MigrationStatus['state']) => statuses.filter((status) => status.state === state).length;
  const summary = `${count('applied')} applied, ${count('parked')} parked, ${count('pending')} pending.`;
  return { text: [...lines, summary].join('\n'), json: { migrations: statuses }, code: 0 };
}

function failure(error: unknown): Answer {
  if (error instanceof Problem) {
    const code = error.slug === 'migration-running' ? 6 : error.kind === 'conflict' ? 2 : 1;
    const { slug, title, detail, members } = error;
    return { text: `${title}. ${detail}`, json: { problem: { ...members, code: slug, title, detail } }, code };
  }
  const detail = sentenceFor(error);
  return { text: detail, json: { problem: { detail } }, code: 1 };
}
