import { page } from '@belay/platform';
import type { Command } from 'commander';
import { ConfirmMismatch } from '../plans/plan.problems.js';
import { Kept } from '../restores/kept.service.js';
import { makePlan } from './made-plan.js';
import { planUnpark } from './restore.command.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count, paragraphs, size, table } from './text.rules.js';

/** `belay parked list|restore`, `belay purge`. */
export function parkedCommands(shell: Shell): Command[] {
  const parked = shell.group('parked', 'what was put aside and can come back');
  parked.addCommand(
    shell
      .command('list', 'what is parked, and what restores have replaced')
      .action((flags: Common) => shell.run(flags, list)),
  );
  parked.addCommand(
    shell
      .act('restore', 'plans to take a module back, in milliseconds')
      .argument('<domain>')
      .option('--reason <text>', 'why; at least 10 characters')
      .action((domain: string, flags: Common) => shell.run(flags, (session) => planUnpark(session, domain))),
  );
  return [parked, purge(shell)];
}

/** The only way to something that drops, and it is a plan too: two people agree to it. */
function purge(shell: Shell): Command {
  return shell
    .act('purge', 'plans to drop what was parked long enough, having proven a backup')
    .argument('<domain>', 'a module, or `application` for copies of the whole database')
    .option('--copies <name...>', 'instead: copies that restores have put aside, as `parked list` names them')
    .option('--feature <flag>', 'only what this feature of it has parked')
    .option('--confirm <domain>', 'its name, typed once more')
    .option('--reason <text>', 'why; at least 10 characters')
    .action((domain: string, flags: Common & { copies?: string[]; feature?: string; confirm?: string }) =>
      shell.run(flags, async (session) => {
        const { copies, feature } = flags;
        const confirm = flags.confirm ?? (await session.ask(`Type ${domain} to confirm: `));
        if (confirm !== domain) throw new ConfirmMismatch(domain, confirm ?? '');
        return makePlan(session, {
          kind: 'purge',
          domain,
          confirm,
          ...(copies && { copies }),
          ...(feature !== undefined && { feature }),
        });
      }),
    );
}

async function list(session: Session): Promise<Told> {
  const { items } = await session.get(Kept).list(page.parse({ limit: 200 }));
  if (items.length === 0) return { text: 'Nothing is parked.', json: { items } };
  const lines = items.map((one) => [
    one.domain ?? 'application',
    one.how,
    one.kind,
    one.object,
    one.rows === null ? '' : String(one.rows),
    one.bytes === null ? '' : size(one.bytes),
    one.keptAt.slice(0, 19).replace('T', ' '),
    one.purgeAfter.slice(0, 10),
  ]);
  const text = paragraphs(
    table(['module', 'how', 'kind', 'object', 'rows', 'size', 'since', 'may be purged from'], lines),
    `${count(items.length, 'object')}.`,
  );
  return { text, json: { items } };
}
