import type { Command } from 'commander';
import { Option } from 'commander';
import { DryRuns } from '../plans/dry-run.service.js';
import { planTarget } from '../plans/plan.contract.js';
import { TargetUnknown } from '../plans/plan.problems.js';
import { Plans } from '../plans/plans.service.js';
import { exitCodes } from './exit-code.rules.js';
import { planNamed, runNamed } from './named.queries.js';
import { dryRunText, planText } from './plan-text.rules.js';
import { addRestores } from './restore.command.js';
import { makePlan, toldOf } from './made-plan.js';
import type { Common, Session, Shell, Told } from './shell.js';

/** `belay plan …`, and what is done with a plan until it runs. */
export function planCommands(shell: Shell): Command[] {
  const plan = shell.group('plan', 'says what would be done; nothing is changed');
  const make = (name: string, description: string) =>
    shell.act(name, description).option('--reason <text>', 'why; at least 10 characters');

  plan.addCommand(
    make('module', 'takes a module off, or parks it')
      .argument('<domain>')
      .addOption(
        new Option('--depth <depth>', 'off: flags and jobs; parked: its schema too')
          .choices(['off', 'parked'])
          .makeOptionMandatory(),
      )
      .option('--feature <flag>', 'only this feature of it')
      .action((domain: string, flags: Common & { depth: string; feature?: string }) =>
        shell.run(flags, (session) => {
          const { depth, feature } = flags;
          return makePlan(session, planTarget.parse({ kind: 'module', domain, depth, ...(feature && { feature }) }));
        }),
      ),
  );
  plan.addCommand(
    make('feature', 'takes one feature of a module off, or parks what its migrations made too; the rest goes on')
      .argument('<flag>')
      .addOption(
        new Option('--depth <depth>', 'off: its flag; parked: what it alone uses too')
          .choices(['off', 'parked'])
          .makeOptionMandatory(),
      )
      .action((feature: string, flags: Common & { depth: string }) =>
        shell.run(flags, (session) => {
          const { domains } = session.world;
          const domain = domains.find(({ features }) => features.some(({ flag }) => flag === feature))?.name;
          if (domain === undefined)
            throw new TargetUnknown(
              `feature ${feature}`,
              domains.flatMap(({ features }) => features.map(({ flag }) => flag)),
            );
          return makePlan(session, planTarget.parse({ kind: 'module', domain, depth: flags.depth, feature }));
        }),
      ),
  );
  plan.addCommand(
    make('runbook', 'follows a runbook')
      .argument('<id>')
      .option('--with <step...>', 'optional steps that are wanted')
      .option('--param <name=value...>', 'what its steps need to know')
      .option('--runbook-version <number>', 'not the newest one', Number)
      .action((runbook: string, flags: Common & { with?: string[]; param?: string[]; runbookVersion?: number }) =>
        shell.run(flags, (session) => {
          const { with: wanted = [], param = [], runbookVersion: version } = flags;
          const params = Object.fromEntries(param.map(pairOf));
          const target = { kind: 'runbook', runbook, with: wanted, params, ...(version !== undefined && { version }) };
          return makePlan(session, planTarget.parse(target));
        }),
      ),
  );
  plan.addCommand(
    make('undo', 'takes a run back')
      .argument('<run>', 'its id, the beginning of it, or `last`')
      .action((run: string, flags: Common) => shell.run(flags, (session) => planUndo(session, run))),
  );
  addRestores(shell, plan.command('restore').description('brings something back'));
  plan.addCommand(
    shell
      .command('show', 'a plan and what its checks said')
      .argument('<plan>', 'its hash, or the beginning of it')
      .action((id: string, flags: Common) =>
        shell.run(flags, async (session) => {
          const shown = await session.get(Plans).get(await planNamed(session.world.control, id));
          return toldOf(shown);
        }),
      ),
  );
  return [plan, dryRun(shell), decide(shell, 'approve'), decide(shell, 'reject'), decide(shell, 'withdraw')];
}

export async function planUndo(session: Session, run: string): Promise<Told> {
  const runId = await runNamed(session.world.control, run);
  return makePlan(session, { kind: 'undo', runId });
}

function dryRun(shell: Shell): Command {
  return shell
    .act('dry-run', 'checks a plan again and shows exactly what each step would do; nothing is changed')
    .argument('<plan>', 'its hash, or the beginning of it')
    .action((given: string, flags: Common) =>
      shell.run(flags, async (session) => {
        const by = await session.actor('rollback:plan');
        const made = await session.get(DryRuns).make(by, await planNamed(session.world.control, given));
        const codes = { go: exitCodes.ok, pause: exitCodes.inconclusive, refuse: exitCodes.blocked };
        return { text: dryRunText(made), json: made, code: codes[made.decision] };
      }),
    );
}

function decide(shell: Shell, decision: 'approve' | 'reject' | 'withdraw'): Command {
  const words = {
    approve: 'agrees to a plan, as somebody else than who made it',
    reject: 'ends a plan',
    withdraw: 'takes an approval back',
  };
  return shell
    .act(decision, words[decision])
    .argument('<plan>', 'its hash, or the beginning of it')
    .option('--reason <text>', 'why; at least 10 characters')
    .action((given: string, flags: Common) =>
      shell.run(flags, async (session) => {
        const id = await planNamed(session.world.control, given);
        const plans = session.get(Plans);
        const { doc } = await plans.get(id);
        // Rejecting needs no second person; approving is judged by what the plan asks for.
        const first = decision === 'approve' ? 'rollback:approve' : 'rollback:execute';
        const by = await session.actor(first, 'rollback:approve', ...doc.approvals.map(({ permission }) => permission));
        const decided = await plans.decide(by, id, { decision, reason: await session.reason() }, session.transact);
        const waits = decision === 'approve' && decided.state === 'awaiting-approval';
        return { text: planText(decided), json: decided, ...(waits && { code: exitCodes.approvalNeeded }) };
      }),
    );
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
