import { AuditTrail, NotFound } from '@belay/platform';
import type { Command } from 'commander';
import { asker, snapshotFilter, type FlagBoard, type FlagState, type SnapshotView } from '../flags/flag.contract.js';
import { FlagBoards } from '../flags/flag-boards.service.js';
import { Overrides } from '../flags/overrides.service.js';
import { FlagSnapshots } from '../flags/snapshots.service.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { flagNamed } from './switch.command.js';
import { count, paragraphs, table } from './text.rules.js';

const SNAPSHOTS = 50;

class SnapshotNotFound extends NotFound {
  readonly slug = 'snapshot-not-found';
  readonly title = 'There is no such snapshot';

  constructor(given: string) {
    super(`No snapshot of the flags begins with ${given}.`, { given });
  }
}

/** `belay flags list|explain|snapshot|snapshots|diff|restore`. */
export function rollbackFlagsCommand(shell: Shell): Command {
  const flags = shell.group('flags', 'shows, explains and keeps what is switched on, and why');
  flags.addCommand(
    shell.command('list', 'every flag, and what each layer says of it').action((given: Common) =>
      shell.run(given, async (session) => {
        const board = await boards(session).board();
        return { text: boardText(board), json: board };
      }),
    ),
  );
  flags.addCommand(
    shell
      .command('explain', 'why a flag is on or off')
      .argument('<domain|feature>')
      .option('--user <id>', 'for this account')
      .option('--role <role>', 'for somebody with this role')
      .option('--site <id>', 'at this site')
      .action((given: string, options: Common & { user?: string; role?: string; site?: string }) =>
        shell.run(options, async (session) => {
          const { user, role, site: siteId } = options;
          const asked = asker.parse({ ...(user && { user }), ...(role && { role }), ...(siteId && { siteId }) });
          const told = await boards(session).explain(flagNamed(session.world.domains, given), asked);
          const text = [`${told.flag} is ${told.mode}:`, ...told.because.map((line) => `  ${line}`)].join('\n');
          return { text, json: told };
        }),
      ),
  );
  flags.addCommand(
    shell
      .act('snapshot', 'keeps what every flag is now')
      .option('--reason <text>', 'why')
      .action((given: Common) =>
        shell.run(given, async (session) => {
          const by = await session.actor('rollback:plan');
          const made = await snapshots(session).take(by, given.reason ?? '', session.transact);
          return { text: `Snapshot ${made.id} of ${count(made.state.flags.length, 'flag')}.`, json: made };
        }),
      ),
  );
  flags.addCommand(
    shell.command('snapshots', 'lists the snapshots').action((given: Common) =>
      shell.run(given, async (session) => {
        const items = await known(session);
        const rows = items.map(({ id, at, state }) => [
          id,
          at.slice(0, 19).replace('T', ' '),
          String(state.flags.filter(({ killed }) => killed).length),
        ]);
        const text = items.length === 0 ? 'No snapshot yet.' : table(['snapshot', 'when', 'off by hand'], rows);
        return { text, json: { items } };
      }),
    ),
  );
  flags.addCommand(
    shell
      .command('diff', 'what has changed since a snapshot, or between two')
      .argument('<snapshot>', 'its id, or the beginning of it')
      .argument('[other]', 'another; without it, how things are now')
      .action((from: string, to: string | undefined, given: Common) =>
        shell.run(given, async (session) => {
          const before = (await snapshotNamed(session, from)).state;
          const after = to === undefined ? await boards(session).board() : (await snapshotNamed(session, to)).state;
          const changes = changesOf(before, after);
          const text = changes.length === 0 ? 'Nothing has changed.' : changesText(changes);
          return { text, json: { changes } };
        }),
      ),
  );
  flags.addCommand(
    shell
      .act('restore', 'switches by hand what was switched by hand then; what the flag server says is its own affair')
      .argument('<snapshot>', 'its id, or the beginning of it')
      .option('--reason <text>', 'why; at least 10 characters')
      .action((given: string, options: Common) => shell.run(options, (session) => restore(session, given))),
  );
  return flags;
}

/** Off first: that needs less, and is the safe side. */
async function restore(session: Session, given: string): Promise<Told> {
  const { state } = await snapshotNamed(session, given);
  const changes = changesOf(state, await boards(session).board()).filter(({ layer }) => layer === 'by hand');
  const off = changes.filter(({ before }) => before === 'off');
  const lifted = changes.filter(({ before }) => before !== 'off');
  const reason = await session.reason();
  const overrides = session.get(Overrides);
  const by = await session.actor(lifted.length > 0 ? 'rollback:approve' : 'rollback:switch');
  for (const { flag } of off) await overrides.off(by, flag, reason, session.transact);
  for (const { flag } of lifted) await overrides.lift(by, flag, reason, session.transact);
  const left = changesOf(state, await boards(session).board());
  const text = paragraphs(
    `${count(off.length, 'flag')} switched off, ${count(lifted.length, 'override')} lifted.`,
    left.length > 0 && `Still otherwise than in the snapshot:\n${changesText(left)}`,
  );
  return { text, json: { off: off.map(({ flag }) => flag), lifted: lifted.map(({ flag }) => flag), left } };
}

interface Change {
  readonly flag: string;
  readonly layer: 'by hand' | 'source';
  readonly before: string;
  readonly after: string;
}

function changesOf(before: FlagBoard, after: FlagBoard): readonly Change[] {
  const then = new Map(before.flags.map((state) => [state.flag, state]));
  return after.flags.flatMap((now): Change[] => {
    const former = then.get(now.flag);
    if (!former) return [];
    const layers = (['by hand', 'source'] as const).map((layer) => ({
      flag: now.flag,
      layer,
      before: layerOf(former, layer),
      after: layerOf(now, layer),
    }));
    return layers.filter((change) => change.before !== change.after);
  });
}

function layerOf({ killed, source }: FlagState, layer: Change['layer']): string {
  if (layer === 'by hand') return killed ? 'off' : 'not switched';
  return source.on ? source.mode : 'off';
}

function changesText(changes: readonly Change[]): string {
  return table(
    ['flag', 'layer', 'then', 'now'],
    changes.map(({ flag, layer, before, after }) => [flag, layer, before, after]),
  );
}

function boardText({ emergency, writesAllowed, flags }: FlagBoard): string {
  return paragraphs(
    table(
      ['flag', 'mode', 'source', 'by hand', 'obeyed', 'what'],
      flags.map((one) => [
        one.flag,
        one.mode,
        layerOf(one, 'source'),
        one.killed ? `off: ${one.override?.reason ?? ''}` : '',
        one.obeyed ? '' : 'not yet',
        one.title,
      ]),
    ),
    [emergency && 'An emergency is on.', !writesAllowed && 'Writing is stopped.'].filter(Boolean).join(' '),
  );
}

function boards(session: Session): FlagBoards {
  return new FlagBoards(session.runtime, session.get(Overrides));
}

function snapshots(session: Session): FlagSnapshots {
  return new FlagSnapshots(session.world, boards(session), session.get(AuditTrail));
}

async function known(session: Session): Promise<readonly SnapshotView[]> {
  return (await snapshots(session).list(snapshotFilter.parse({ limit: SNAPSHOTS }))).items;
}

async function snapshotNamed(session: Session, given: string): Promise<SnapshotView> {
  const found = (await known(session)).find(({ id }) => id.startsWith(given.toLowerCase()));
  if (!found) throw new SnapshotNotFound(given);
  return found;
}
