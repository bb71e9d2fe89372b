import type { Command } from 'commander';
import { AnchorFile } from '../audit/anchor-file.js';
import { checkReason } from '../plans/plans.service.js';
import { ConfirmMismatch } from '../plans/plan.problems.js';
import { restoreControl, type ControlRestored } from '../restores/control-restore.service.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { paragraphs } from './text.rules.js';

const CONFIRM = 'control';

/** `belay control restore`: the memory itself, offline. */
export function controlCommand(shell: Shell): Command {
  const control = shell.group('control', 'the memory of what was done');
  control.addCommand(
    shell
      .act('restore', 'puts the control database back from a backup; every API and worker is stopped first')
      .argument('<folder>', 'of the backup')
      .option('--confirm <word>', `\`${CONFIRM}\`, typed`)
      .option('--reason <text>', 'why; at least 10 characters')
      .action((folder: string, flags: Common & { confirm?: string }) =>
        shell.run(flags, (session) => restore(session, folder, flags.confirm)),
      ),
  );
  return control;
}

async function restore(session: Session, folder: string, given: string | undefined): Promise<Told> {
  const { world } = session;
  const confirm = given ?? (await session.ask(`Type ${CONFIRM} to confirm: `)) ?? '';
  if (confirm !== CONFIRM) throw new ConfirmMismatch(CONFIRM, confirm);
  const reason = await session.reason();
  checkReason(reason);
  const by = await session.actor('rollback:restore');
  const { anchors } = await new AnchorFile(session.runtime.config.AUDIT_ANCHOR_FILE).read();
  const newest = anchors.at(-1);
  const newestAnchor = newest ? { seq: newest.seq, hash: newest.hash } : null;
  const restored = await restoreControl(world, { folder, newestAnchor, by, reason });
  return { text: textOf(restored), json: restored };
}

function textOf({ kept, head, gap, fork, stillOff, stopped }: ControlRestored): string {
  return paragraphs(
    [
      `The control database is as in the backup; the audit trail stands at ${head.seq}.`,
      ...(kept === null ? [] : [`What was there is kept as ${kept}.`]),
    ].join('\n'),
    gap && `✗ Entries ${gap.from} to ${gap.to} of the audit trail are lost; that is an entry now.`,
    fork && `✗ Entry ${fork.seq} is not the one that was anchored; that is an entry now.`,
    stillOff.length > 0 && `Still off: ${stillOff.join(', ')}.`,
    stopped.length > 0 && `Runs that wait for somebody: ${stopped.join(', ')}.`,
  );
}
