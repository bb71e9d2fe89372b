import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { AuditTrail } from '@belay/platform';
import { backupLevel, type BackupLevel, type BackupScope, type BackupView } from '../backups/backup.contract.js';
import { findBackup } from '../backups/backup.queries.js';
import { inTurn } from '../backups/backup-turn.js';
import { checkHostDump, dumpBeside, writeHostDump } from '../backups/host-dump.js';
import { workOnBackup } from '../backups/backup-work.service.js';
import { Backups } from '../backups/backups.service.js';
import { exitCodes } from './exit-code.rules.js';
import { backupNamed } from './named.queries.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count, duration, paragraphs, size, table } from './text.rules.js';

const LOOK_MS = 300;
const PROVEN = 4;

/** `belay backup create|list|show|verify|drill`. */
export function backupCommand(shell: Shell): Command {
  const backup = shell.group('backup', 'copies of rows, and what is proven of them');
  backup.addCommand(
    shell
      .act('create', 'makes a backup and proves it')
      .requiredOption('--scope <scope>', 'application, control, or modules separated by commas')
      .addOption(levelOption())
      .option('--pg-dump', 'beside it one by pg_dump of this machine, which nothing depends on')
      .action((flags: Common & { scope: string; level: BackupLevel; pgDump?: true }) =>
        shell.run(flags, (session) => create(session, scopeOf(flags.scope), flags)),
      ),
  );
  backup.addCommand(
    shell
      .command('list', 'the newest backups')
      .option('--limit <number>', 'how many', Number, 20)
      .action((flags: Common & { limit: number }) =>
        shell.run(flags, async (session) => {
          const { items } = await session.get(Backups).list({ limit: flags.limit });
          return { text: backupsText(items), json: { items } };
        }),
      ),
  );
  backup.addCommand(
    shell
      .command('show', 'one backup, and what was found wrong with it')
      .argument('<backup>', 'its id, or the beginning of it')
      .action((given: string, flags: Common) =>
        shell.run(flags, async (session) =>
          toldOf(await session.get(Backups).get(await backupNamed(session.world.control, given))),
        ),
      ),
  );
  backup.addCommand(
    shell
      .act('verify', 'brings a backup to a level, or finds out what is wrong with it')
      .argument('<backup>', 'its id, or the beginning of it')
      .addOption(levelOption())
      .action((given: string, flags: Common & { level: BackupLevel }) =>
        shell.run(flags, (session) => prove(session, given, flags.level)),
      ),
  );
  backup.addCommand(
    shell
      .act('drill', 'restores a backup into a side database and proves it')
      .argument('<backup>', 'its id, or the beginning of it')
      .action((given: string, flags: Common) => shell.run(flags, (session) => prove(session, given, PROVEN))),
  );
  return backup;
}

async function create(
  session: Session,
  scope: BackupScope,
  { level, pgDump = false }: { readonly level: BackupLevel; readonly pgDump?: boolean },
): Promise<Told> {
  const by = await session.actor('rollback:backup');
  if (pgDump) await checkHostDump(session.world);
  const { id, location } = await session.transact((client) => session.get(Backups).request(client, by, scope, level));
  const made = await finished(session, id);
  if (!pgDump || made.code !== undefined) return made;
  const file = dumpBeside(location);
  session.note(`Backup ${id} is there; now pg_dump.`);
  await writeHostDump(session.world, scope, file);
  return { ...made, text: `${made.text}\n\nBy pg_dump: ${file}` };
}

async function prove(session: Session, given: string, to: BackupLevel): Promise<Told> {
  const by = await session.actor('rollback:backup');
  const id = await backupNamed(session.world.control, given);
  await session.transact((client) => session.get(Backups).prove(client, by, id, to));
  return finished(session, id);
}

/** Done here, unless a worker is at it: then waited for. */
async function finished(session: Session, id: string): Promise<Told> {
  const { world } = session;
  let told = '';
  for (;;) {
    await inTurn(world, async () => {
      const wanted = await findBackup(world.control, id);
      if (wanted.wantedAt) await workOnBackup(world, session.get(AuditTrail), wanted);
    });
    const backup = await session.get(Backups).get(id);
    if (backup.wantedLevel === null) return toldOf(backup);
    const line = `${backup.state}, level ${backup.level} of ${backup.wantedLevel}`;
    if (line !== told) session.note(line);
    told = line;
    await sleep(LOOK_MS);
  }
}

function toldOf(backup: BackupView): Told {
  const { id, state, level: reached, bytes, location, scope, domains, snapshotAt, drillMs, findings } = backup;
  const text = paragraphs(
    [
      `Backup ${id}: ${state}, level ${reached} (${levels[reached]})`,
      `${scope === 'domains' ? domains.join(', ') : scope}${snapshotAt === null ? '' : `, as of ${snapshotAt}`}${bytes === null ? '' : `, ${size(bytes)}`}`,
      location,
      ...(drillMs === null ? [] : [`Restored and looked at in ${duration(drillMs / 1_000)}.`]),
    ].join('\n'),
    findings.map(({ subject, problem }) => `✗ ${subject} ${problem}`).join('\n'),
  );
  const bad = state === 'broken' || findings.length > 0;
  return { text, json: backup, ...(bad && { code: exitCodes.error }) };
}

const levels = ['made', 'whole', 'readable', 'restorable', 'proven equal'] as const;

function backupsText(backups: readonly BackupView[]): string {
  if (backups.length === 0) return 'No backup yet.';
  return paragraphs(
    table(
      ['backup', 'as of', 'of', 'state', 'level', 'size'],
      backups.map(({ id, snapshotAt, scope, domains, state, level: reached, bytes }) => [
        id,
        snapshotAt?.slice(0, 19).replace('T', ' ') ?? '',
        scope === 'domains' ? domains.join(',') : scope,
        state,
        String(reached),
        bytes === null ? '' : size(bytes),
      ]),
    ),
    `${count(backups.length, 'backup')}.`,
  );
}

function scopeOf(text: string): BackupScope {
  if (text === 'application' || text === 'control') return { kind: text };
  return { kind: 'domains', domains: text.split(',').map((name) => name.trim()) };
}

function levelOption(): Option {
  return new Option('--level <level>', '1 whole, 2 readable, 3 restorable, 4 proven equal')
    .default(PROVEN)
    .argParser((text) => {
      const { data } = backupLevel.safeParse(Number(text));
      if (data !== undefined && data > 0) return data;
      throw new InvalidArgumentError('A level is 1, 2, 3 or 4.');
    });
}
