import { AuditTrail } from '@belay/platform';
import type { Command } from 'commander';
import { RunbookDrills } from '../backups/runbook-drill.service.js';
import { Runbooks } from '../plans/runbooks.service.js';
import { exitCodes } from './exit-code.rules.js';
import type { Common, Shell } from './shell.js';
import { duration, table } from './text.rules.js';

/** `belay drill <runbook>`, `belay runbooks`. */
export function drillCommands(shell: Shell): Command[] {
  return [
    shell
      .act('drill', 'runs a whole runbook, and back again, on copies of the databases')
      .argument('<runbook>')
      .action((id: string, flags: Common) =>
        shell.run(flags, async (session) => {
          await session.actor('rollback:plan');
          const drills = new RunbookDrills(session.world, session.get(Runbooks), session.get(AuditTrail));
          session.note('Copies of the databases are made, and the runbook is run on them; this takes a while.');
          const { ok, ms, budgetS, findings, version } = await drills.drill(id);
          const text = [
            `${ok ? '✓' : '✗'} ${id} version ${version}: ${duration(ms / 1_000)} of ${duration(budgetS)}.`,
            ...findings.map((finding) => `✗ ${finding}`),
          ].join('\n');
          return {
            text,
            json: { runbook: id, version, ok, ms, budgetS, findings },
            ...(!ok && { code: exitCodes.error }),
          };
        }),
      ),
    shell.command('runbooks', 'lists the runbooks, with their last drills').action((flags: Common) =>
      shell.run(flags, async (session) => {
        const items = await session.get(Runbooks).list();
        const rows = items.map(({ id, version, domain, budgetS, targetS, drill }) => [
          id,
          String(version),
          domain,
          `${budgetS} s`,
          `${targetS} s`,
          drill ? `${drill.at.slice(0, 10)}, ${drill.ok ? 'in order' : 'failed'}` : 'never',
        ]);
        return {
          text: table(['runbook', 'version', 'module', 'budget', 'target', 'last drill'], rows),
          json: { items },
        };
      }),
    ),
  ];
}
