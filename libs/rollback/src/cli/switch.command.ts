import { EMERGENCY_ROLLBACK, PLATFORM_WRITES, registeredFlags, type Domain } from '@belay/platform';
import type { Command } from 'commander';
import { acknowledged, placeOf } from '../actions/live-process.queries.js';
import type { OverrideView } from '../flags/flag.contract.js';
import { Overrides } from '../flags/overrides.service.js';
import { FlagUnknown } from '../rollback.problems.js';
import { exitCodes } from './exit-code.rules.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count } from './text.rules.js';

/** A live process takes a second when nobody tells it; one that died is known to be dead after five. */
const OBEYED_WITHIN_MS = 7_000;

/** `belay off|on <domain|feature>`: at once, in every process, without any flag server. */
export function switchCommands(shell: Shell): Command[] {
  const switching = (name: string, description: string) =>
    shell
      .act(name, description)
      .argument('<domain|feature>', 'name of a module, or flag of a module or feature; `writes` is all writing')
      .option('--reason <text>', 'why; at least 10 characters');
  return [
    switching('off', 'switches a module or a feature off, now and everywhere').action((given: string, flags: Common) =>
      shell.run(flags, async (session) => {
        const flag = flagNamed(session.world.domains, given);
        const by = await session.actor('rollback:switch');
        const row = await session.get(Overrides).off(by, flag, await session.reason(), session.transact);
        return obeyed(session, row);
      }),
    ),
    switching('on', 'lets a module or a feature go on, as far as its flag says so').action(
      (given: string, flags: Common) =>
        shell.run(flags, async (session) => {
          const flag = flagNamed(session.world.domains, given);
          const by = await session.actor('rollback:approve');
          const row = await session.get(Overrides).lift(by, flag, await session.reason(), session.transact);
          return obeyed(session, row);
        }),
    ),
  ];
}

/** Waits until every live process has said that it respects the row. */
async function obeyed(session: Session, row: OverrideView): Promise<Told> {
  const signal = new AbortController().signal;
  const until = performance.now() + OBEYED_WITHIN_MS;
  const { processes, behind, ms } = await acknowledged(session.world.control, BigInt(row.seq), until, signal);
  const others = processes - 1;
  const what = `${row.flag} ${row.off ? 'is off' : 'is as its flag says'}`;
  const text =
    behind.length === 0
      ? `${what}; ${count(Math.max(0, others), 'process', 'processes')} obeyed within ${ms} ms.`
      : `${what}, but ${count(behind.length, 'process', 'processes')} of ${processes} did not say so in ${OBEYED_WITHIN_MS / 1_000} s.`;
  const json = { ...row, processes, ms, behind: behind.map(placeOf) };
  return { text, json, ...(behind.length > 0 && { code: exitCodes.inconclusive }) };
}

/** The flag that is meant by a module's name, a flag, or a word for what is about everything. */
export function flagNamed(domains: readonly Domain[], given: string): string {
  if (given === 'writes') return PLATFORM_WRITES;
  if (given === 'emergency') return EMERGENCY_ROLLBACK;
  const domain = domains.find(({ name }) => name === given);
  if (domain?.flag !== undefined) return domain.flag;
  const known = [EMERGENCY_ROLLBACK, PLATFORM_WRITES, ...registeredFlags(domains).map(({ flag }) => flag)];
  if (known.includes(given)) return given;
  const named = domains.filter(({ flag }) => flag !== undefined).map(({ name }) => name);
  throw new FlagUnknown(given, [...named, ...known]);
}
