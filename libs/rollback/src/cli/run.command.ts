import type { Command } from 'commander';
import { liveProcesses } from '../actions/live-process.queries.js';
import type { RunWish, StepWish } from '../engine/wishes.js';
import type { RunView } from '../runs/run.contract.js';
import { RunReader } from '../runs/run-reader.service.js';
import { Runs } from '../runs/runs.service.js';
import { RunWishes } from '../runs/run-wishes.service.js';
import { codeOfRun } from './exit-code.rules.js';
import { planNamed, runNamed } from './named.queries.js';
import { planUndo } from './plan.command.js';
import { runsText, runText } from './run-text.rules.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { watchRun } from './watch.js';

interface Following extends Common {
  readonly watch?: true;
  readonly here?: true;
}

const RUN = 'its id, the beginning of it, or `last`';

/** What is done with a plan that may run, and with a run. */
export function runCommands(shell: Shell): Command[] {
  return [
    request(shell),
    status(shell),
    watch(shell),
    ...(['pause', 'resume', 'cancel'] as const).map((wish) => steer(shell, wish)),
    undo(shell),
    ...(['retry', 'skip'] as const).map((wish) => steerStep(shell, wish)),
    confirm(shell),
  ];
}

function request(shell: Shell): Command {
  return following(shell.act('run', 'carries an approved plan out'))
    .argument('<plan>', 'its hash, or the beginning of it')
    .option('--reason <text>', 'why; that of the plan when it is left out')
    .action((given: string, flags: Following) =>
      shell.run(
        flags,
        async (session) => {
          const by = await session.actor('rollback:execute');
          const planId = await planNamed(session.world.control, given);
          const reason = flags.reason ?? (await reasonOf(session, planId));
          const run = await session.get(Runs).request(by, planId, reason, session.transact);
          return follow(session, run, flags);
        },
        { here: flags.here === true },
      ),
    );
}

/** Waits for its end when that is wanted; else says who will carry it out. */
export async function follow(session: Session, run: RunView, { watch: watching, here }: Following): Promise<Told> {
  if (watching === true || here === true) return toldOf(await watchRun(session, run.id));
  const processes = await liveProcesses(session.world.control);
  if (!processes.some(({ role }) => role === 'worker')) session.note('No worker runs that could carry it out.');
  return toldOf(run);
}

/** `--here` where a run is followed. */
function following(command: Command): Command {
  return command
    .option('--watch', 'tell what happens until it ends')
    .option('--here', 'carry it out in this process too, when no worker runs; follows it to its end');
}

function toldOf(run: RunView): Told {
  return { text: runText(run), json: run, code: codeOfRun(run) };
}

async function reasonOf(session: Session, planId: string): Promise<string> {
  const { rows } = await session.world.control.query<{ reason: string }>(
    `SELECT reason FROM control.plan WHERE id = $1`,
    [planId],
  );
  return rows[0]?.reason ?? '';
}

function status(shell: Shell): Command {
  return shell
    .command('status', 'one run with its steps, or the newest runs')
    .argument('[run]', RUN)
    .option('--limit <number>', 'how many', Number, 10)
    .action((given: string | undefined, flags: Common & { limit: number }) =>
      shell.run(flags, async (session) => {
        const reader = session.get(RunReader);
        if (given === undefined) {
          const { items } = await reader.list({ limit: flags.limit });
          return { text: runsText(items), json: { items } };
        }
        return toldOf(await reader.get(await runNamed(session.world.control, given)));
      }),
    );
}

function watch(shell: Shell): Command {
  return shell
    .command('watch', 'follows a run until it ends, or rests until somebody decides')
    .argument('<run>', RUN)
    .option('--here', 'carry it out in this process too, when no worker runs')
    .action((given: string, flags: Following) =>
      shell.run(
        flags,
        async (session) => toldOf(await watchRun(session, await runNamed(session.world.control, given))),
        { here: flags.here === true },
      ),
    );
}

const DEFAULT_REASON = 'asked for at the command line';

function steer(shell: Shell, wish: Exclude<RunWish, 'confirm'>): Command {
  const words = {
    pause: 'stops a run behind the step that is under way',
    resume: 'lets a run go on',
    cancel: 'gives a run up; what it switched off stays off',
  };
  return following(shell.act(wish, words[wish]))
    .argument('<run>', RUN)
    .option('--reason <text>', 'why', DEFAULT_REASON)
    .action((given: string, flags: Following) => shell.run(flags, (session) => wishOf(session, given, wish, flags)));
}

async function wishOf(session: Session, given: string, wish: RunWish, flags: Following): Promise<Told> {
  const by = await session.actor('rollback:execute');
  const runId = await runNamed(session.world.control, given);
  const { lastEvent } = await session.get(RunReader).get(runId);
  const run = await session.get(RunWishes).run(by, runId, wish, flags.reason ?? DEFAULT_REASON, session.transact);
  return watched(session, run, lastEvent, flags);
}

/** An executor of our own begins when the wish is there, so that it heeds it first of all. */
async function watched(
  session: Session,
  run: RunView,
  after: number,
  { watch: watching, here }: Following,
): Promise<Told> {
  if (here === true) await session.carryOut();
  if (watching !== true && here !== true) return { text: runText(run), json: run };
  return toldOf(await watchRun(session, run.id, after));
}

function steerStep(shell: Shell, wish: Exclude<StepWish, 'confirm'>): Command {
  const words = { retry: 'tries a failed step again', skip: 'goes on without a step' };
  return following(shell.act(wish, words[wish]))
    .argument('<run>', RUN)
    .argument('<step>', 'its number')
    .option('--reason <text>', 'why', DEFAULT_REASON)
    .action((given: string, step: string, flags: Following) =>
      shell.run(flags, (session) => stepWishOf(session, given, step, wish, flags)),
    );
}

/** A paused run goes on with it. */
async function stepWishOf(
  session: Session,
  given: string,
  step: string,
  wish: StepWish,
  flags: Following,
): Promise<Told> {
  const by = await session.actor('rollback:execute');
  const runId = await runNamed(session.world.control, given);
  const { lastEvent, state } = await session.get(RunReader).get(runId);
  const reason = flags.reason ?? DEFAULT_REASON;
  const wishes = session.get(RunWishes);
  const said = { reason, facts: {} };
  let run = await wishes.step(by, { id: runId, idx: Number(step) }, wish, said, session.transact);
  if (state === 'paused') run = await wishes.run(by, runId, 'resume', reason, session.transact);
  return watched(session, run, lastEvent, flags);
}

function confirm(shell: Shell): Command {
  return following(shell.act('confirm', 'says that a person has done what a step, or the rest of a run, waits for'))
    .argument('<run>', RUN)
    .argument('[step]', 'its number; without it, everything that remained')
    .option('--reason <text>', 'what was done')
    .action((given: string, step: string | undefined, flags: Following) =>
      shell.run(flags, async (session) => {
        const reason = await session.reason();
        return step === undefined
          ? wishOf(session, given, 'confirm', { ...flags, reason })
          : stepWishOf(session, given, step, 'confirm', { ...flags, reason });
      }),
    );
}

function undo(shell: Shell): Command {
  return shell
    .act('undo', 'plans the way back from a run; it is approved and run like any other plan')
    .argument('<run>', RUN)
    .option('--reason <text>', 'why; at least 10 characters')
    .action((given: string, flags: Common) => shell.run(flags, (session) => planUndo(session, given)));
}
