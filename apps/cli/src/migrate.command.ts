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
import pg from 'pg';
import { z } from 'zod';
import { ledgers } from '../../../migrations/index.js';
import { alone } from './alone.js';
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

/** What is printed, and the process's exit code: 0 done, 1 error, 2 refused, 6 another runner, or a run, is at work. */
interface Answer {
  readonly text: string;
  readonly json: unknown;
  readonly code: number;
}

/** `belay migrate up|down|status|vault`; `place` says which databases, `print` takes the answer. */
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
        const bring = () =>
          domain === undefined ? migrateAll(targets, ledgers, options) : migrateUp(targets, ledgers, domain, options);
        const nothingToDo = async () =>
          (await migrationStatus(targets, ledgers, domain)).every(({ state }) => state === 'applied');
        const steps = await (dryRun || (await nothingToDo())
          ? bring()
          : alone(targets.controlUrl, options.waitMs, bring));
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
        const waitMs = wait * 1_000;
        const park = () => migrateDown(targets, ledgers, domain, { to, dryRun, release, waitMs });
        return moved(await (dryRun ? park() : alone(targets.controlUrl, waitMs, park)), 'down', dryRun);
      }),
    );

  command('status', 'lists every migration and whether it is applied')
    .addArgument(new Argument('[domain]', 'only this one'))
    .action((domain: string | undefined, { json }: Flags) =>
      answer(json, async () => listed(await migrationStatus(place().targets, ledgers, domain))),
    );

  command('vault', 'lists the migrations whose SQL is kept, so that any build can take them down and up')
    .addArgument(new Argument('[domain]', 'only this one'))
    .action((domain: string | undefined, { json }: Flags) =>
      answer(json, async () => kept(await vaultOf(place().targets.controlUrl, domain))),
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

const artifact = z.object({
  domain: z.string(),
  name: z.string(),
  checksum: z.string(),
  class: z.string(),
  release: z.string(),
  at: z.date(),
});

async function vaultOf(controlUrl: string, domain: string | undefined): Promise<z.infer<typeof artifact>[]> {
  const client = new pg.Client({ connectionString: controlUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT domain, name, checksum, class, release, at FROM control.migration_artifact
       WHERE $1::text IS NULL OR domain = $1 ORDER BY domain, name, at`,
      [domain ?? null],
    );
    return z.array(artifact).parse(rows);
  } finally {
    await client.end();
  }
}

function kept(artifacts: readonly z.infer<typeof artifact>[]): Answer {
  const lines = artifacts.map(
    (one) => `${one.class.padEnd(11)} ${one.domain}/${one.name} (${one.checksum.slice(0, 12)}, release ${one.release})`,
  );
  const count = artifacts.length === 1 ? '1 migration is' : `${artifacts.length} migrations are`;
  return { text: [...lines, `${count} in the vault.`].join('\n'), json: { artifacts }, code: 0 };
}

function failure(error: unknown): Answer {
  if (error instanceof Problem) {
    const busy = error.slug === 'migration-running' || error.slug === 'run-in-progress';
    const code = busy ? 6 : error.kind === 'conflict' ? 2 : 1;
    const { slug, title, detail, members } = error;
    return { text: `${title}. ${detail}`, json: { problem: { ...members, code: slug, title, detail } }, code };
  }
  const detail = sentenceFor(error);
  return { text: detail, json: { problem: { detail } }, code: 1 };
}
