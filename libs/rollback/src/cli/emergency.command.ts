import { Problem } from '@belay/platform';
import type { Command } from 'commander';
import { Option } from 'commander';
import { Emergencies } from '../emergency/emergencies.service.js';
import { newEmergency, type EmergencyView } from '../emergency/emergency.contract.js';
import { LocalJournal } from '../emergency/local-journal.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { exitCodes } from './exit-code.rules.js';
import { runNamed } from './named.queries.js';
import { planText } from './plan-text.rules.js';
import { runText } from './run-text.rules.js';
import { follow } from './run.command.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count } from './text.rules.js';

interface EmergencyFlags extends Common {
  readonly module?: string;
  readonly level?: string;
  readonly confirm?: string;
}

/** `belay emergency`, `belay ratify`. */
export function emergencyCommands(shell: Shell): Command[] {
  return [
    shell
      .act('emergency', 'switches off at once and everywhere, and has a run do the rest; somebody else ratifies it')
      .option('--module <domain>', 'only this one, and what cannot live without it')
      .addOption(
        new Option(
          '--level <level>',
          'E1 one module, E2 every one (what is taken when no module is named), E4 back to a proven backup too',
        ).choices(['E1', 'E2', 'E4']),
      )
      .option('--confirm <environment>', 'the name of the environment, typed')
      .option('--reason <text>', 'why; at least 10 characters')
      // With an executor of its own: workers may be what has failed.
      .action((flags: EmergencyFlags) => shell.run(flags, (session) => declare(session, flags), { here: true })),
    shell
      .act('ratify', 'says as a second person that an emergency was one')
      .argument('<run>', 'its id, the beginning of it, or `last`')
      .option('--reason <text>', 'why; at least 10 characters')
      .action((given: string, flags: Common) =>
        shell.run(flags, async (session) => {
          const by = await session.actor('rollback:approve');
          const runId = await runNamed(session.world.control, given);
          const run = await session.get(Emergencies).ratify(by, runId, await session.reason(), session.transact);
          return { text: runText(run), json: run };
        }),
      ),
  ];
}

async function declare(session: Session, flags: EmergencyFlags): Promise<Told> {
  const { NODE_ENV: environment } = session.runtime.config;
  const { module, level = module === undefined ? 'E2' : 'E1' } = flags;
  const confirm = flags.confirm ?? (await session.ask(`Type ${environment} to confirm: `)) ?? '';
  const reason = await session.reason();
  const by = await session.actor('rollback:emergency');
  const wanted = newEmergency.parse({ level, confirm, reason, ...(module !== undefined && { module }) });
  try {
    return await told(session, await session.get(Emergencies).declare(by, wanted, session.transact));
  } catch (error) {
    if (error instanceof Problem || (await answers(session))) throw error;
    return keptHere(session, by, `${level} ${module ?? ''}`.trim(), reason);
  }
}

async function told(session: Session, view: EmergencyView): Promise<Told> {
  const { flags, acknowledged, run, plan, problem, joined } = view;
  const { processes, behind, ms } = acknowledged;
  const off = `${flags.join(', ')} off; ${processes - behind.length} of ${count(processes, 'process', 'processes')} obeyed within ${ms} ms.`;
  session.note(off);
  if (plan) return { text: `${off}\n\n${planText(plan)}`, json: view, code: exitCodes.approvalNeeded };
  if (!run) return { text: `${off}\n✗ ${problem ?? 'There is no run.'}`, json: view, code: exitCodes.manual };
  if (joined) session.note('An emergency was at work already; this is its run.');
  const ended = await follow(session, run, { watch: true });
  const next = `Somebody else ratifies it within 24 hours: belay ratify ${run.id} --as <username>`;
  return { ...ended, text: `${ended.text}\n${next}`, json: { ...view, run: ended.json } };
}

async function answers({ world }: Session): Promise<boolean> {
  return world.control.query('SELECT').then(
    () => true,
    () => false,
  );
}

/** Processes that cannot read the overrides switch off by themselves; what was wanted is told to the trail later. */
async function keptHere(session: Session, by: Actor, subject: string, reason: string): Promise<Told> {
  const { config } = session.runtime;
  await new LocalJournal(config.EMERGENCY_JOURNAL_FILE).write({
    actor: auditActor(by),
    action: 'emergency.declare',
    subject,
    environment: config.NODE_ENV,
    reason,
    outcome: 'control database away',
  });
  const text = [
    'The control database does not answer: every process that cannot read it takes gated modules off within 10 s by itself.',
    `This was kept in ${config.EMERGENCY_JOURNAL_FILE}, and is told to the audit trail when the database is back.`,
    'Where processes can read it and this machine cannot, set EMERGENCY_ROLLBACK=true and restart them.',
  ].join('\n');
  return { text, json: { kept: config.EMERGENCY_JOURNAL_FILE }, code: exitCodes.manual };
}
