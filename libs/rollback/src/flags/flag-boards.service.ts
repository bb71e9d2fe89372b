import {
  EMERGENCY_ROLLBACK,
  PLATFORM_WRITES,
  registeredFlags,
  RUNTIME,
  type FlagVerdict,
  type GateContext,
  type RegisteredFlag,
  type Runtime,
} from '@belay/platform';
import { Inject, Injectable } from '@nestjs/common';
import { liveProcesses } from '../actions/live-process.queries.js';
import { FlagUnknown } from '../rollback.problems.js';
import type { Asker, FlagBoard, FlagExplanation, FlagState, OverrideView } from './flag.contract.js';
import { Overrides } from './overrides.service.js';

interface Known {
  readonly overrides: ReadonlyMap<string, OverrideView>;
  /** What every live process obeys. */
  readonly obeyed: bigint;
}

/** What every layer says of every flag, as this process sees it, and who has switched it off. */
@Injectable()
export class FlagBoards {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly overrides: Overrides,
  ) {}

  async board(): Promise<FlagBoard> {
    const known = await this.known();
    const { gate, domains } = this.runtime;
    const overall = [EMERGENCY_ROLLBACK, PLATFORM_WRITES].map((flag) => this.overall(flag, known));
    const flags = registeredFlags(domains).map((one) => this.state(one, gate.explain(one.flag), known));
    const seq = [...known.overrides.values()].reduce(
      (most, one) => (BigInt(one.seq) > most ? BigInt(one.seq) : most),
      0n,
    );
    return {
      emergency: gate.emergency,
      writesAllowed: gate.writesAllowed(),
      seq: String(seq),
      flags: [...overall, ...flags],
    };
  }

  /** Throws `flag-unknown`. */
  async explain(flag: string, asked: Asker): Promise<FlagExplanation> {
    const known = await this.known();
    const all = registeredFlags(this.runtime.domains);
    const registered = all.find((one) => one.flag === flag);
    if (flag === EMERGENCY_ROLLBACK || flag === PLATFORM_WRITES) {
      const state = this.overall(flag, known);
      return {
        ...state,
        asked,
        because: [state.mode === 'on' ? 'nobody has switched it off' : 'switched off by hand'],
      };
    }
    if (!registered) throw new FlagUnknown(flag, [EMERGENCY_ROLLBACK, PLATFORM_WRITES, ...all.map((one) => one.flag)]);
    const verdict = this.runtime.gate.explain(flag, contextOf(asked));
    return { ...this.state(registered, verdict, known), asked, because: becauseOf(verdict, known.overrides.get(flag)) };
  }

  private async known(): Promise<Known> {
    const [overrides, processes] = await Promise.all([this.overrides.all(), liveProcesses(this.runtime.control)]);
    const obeyed = processes.map(({ seq }) => seq).reduce((least, seq) => (seq < least ? seq : least), 2n ** 62n);
    return { overrides: new Map(overrides.map((one) => [one.flag, one])), obeyed };
  }

  private state(
    { title, domain, feature }: RegisteredFlag,
    { parentsOff, ...verdict }: FlagVerdict,
    { overrides, obeyed }: Known,
  ): FlagState {
    const override = overrides.get(verdict.flag) ?? null;
    return {
      ...verdict,
      parentsOff: [...parentsOff],
      title,
      module: domain.name,
      feature,
      override,
      obeyed: override === null || BigInt(override.seq) <= obeyed,
    };
  }

  /** Two that are about everything: an emergency, whose row that is off switches it on, and writing at all. */
  private overall(flag: string, { overrides, obeyed }: Known): FlagState {
    const { gate, flags, overlay } = this.runtime;
    const override = overrides.get(flag) ?? null;
    const on = flag === PLATFORM_WRITES ? gate.writesAllowed() : !gate.emergency;
    const source =
      flag === PLATFORM_WRITES
        ? ({ known: false, on: true, mode: 'on', gradual: false } as const)
        : flags.reading(flag);
    return {
      flag,
      mode: on ? 'on' : 'off',
      source,
      parentsOff: [],
      killed: override?.off ?? false,
      emergency: gate.emergency,
      failSafe: overlay.failSafe,
      title: flag === PLATFORM_WRITES ? 'Writing anything' : 'Working as usual; off is an emergency',
      module: null,
      feature: false,
      override,
      obeyed: override === null || BigInt(override.seq) <= obeyed,
    };
  }
}

function contextOf({ user, role, siteId, graphId }: Asker): GateContext | undefined {
  if (user === undefined && role === undefined && siteId === undefined && graphId === undefined) return undefined;
  return {
    ...(user !== undefined && { userId: user }),
    role: role ?? 'other',
    ...(siteId !== undefined && { siteId }),
    ...(graphId !== undefined && { graphId }),
  };
}

function becauseOf(verdict: FlagVerdict, override: OverrideView | undefined): string[] {
  const { source } = verdict;
  const against = [
    ...(verdict.failSafe ? ['the overrides could not be read for ten seconds'] : []),
    ...(verdict.emergency ? ['an emergency is on'] : []),
    ...(verdict.killed ? [`switched off by hand: ${override?.reason ?? 'not known why'}`] : []),
    ...verdict.parentsOff.map((name) => `${name} is off`),
    ...(source.on ? [] : [source.known ? 'its source has it off' : 'its source does not know it']),
  ];
  if (against.length > 0) return against;
  if (verdict.mode === 'off') return ['its source has it off for whoever was asked for'];
  return [verdict.mode === 'on' ? 'every layer lets it through' : `its source says ${verdict.mode}`];
}
