import type { FlagReading, Flags, GateContext } from '../flags/flags.js';
import { stricter, type Mode } from '../flags/mode.js';
import type { Overlay } from '../flags/overlay.js';
import { EMERGENCY_ROLLBACK, registeredFlags, type RegisteredFlag } from '../flags/registry.js';
import { enabledDomains, type Domain } from './domain.js';

/** What every layer says of one flag, and what follows. */
export interface FlagVerdict {
  readonly flag: string;
  readonly mode: Mode;
  /** The flag server's or the flags file's word. */
  readonly source: FlagReading;
  /** Names of what the flag depends on and is off: the domains its own comes after, or its own for a feature. */
  readonly parentsOff: readonly string[];
  /** Switched off by hand. */
  readonly killed: boolean;
  readonly emergency: boolean;
  /** The overlay has been unreadable for too long to be trusted. */
  readonly failSafe: boolean;
}

/** What is to be asked for a context: the strictest of the modes, or off where a parent is. */
interface Rule {
  /** The mode as far as it is the same for everybody. */
  readonly base: Mode;
  /** Flags whose answer depends on who asks; a parent's only matters when it is off. */
  readonly gradual: readonly { readonly flag: string; readonly parent: boolean }[];
}

const always: Rule = { base: 'on', gradual: [] };
const never: Rule = { base: 'off', gradual: [] };

/**
 * Says what is on. One per process; asked on every request and before every job. A flag is on when nobody has killed it,
 * what it depends on is on, and its source says so; nothing but the source can switch anything on.
 */
export class Gate {
  readonly #flags: ReadonlyMap<string, RegisteredFlag>;
  readonly #listeners = new Set<() => void>();
  #domains: ReadonlyMap<string, Rule> = new Map();
  #features: ReadonlyMap<string, Rule> = new Map();
  #enabled: readonly Domain[] = [];

  constructor(
    readonly domains: readonly Domain[],
    private readonly flags: Pick<Flags, 'reading' | 'modeFor' | 'onChange'>,
    private readonly overlay: Pick<Overlay, 'killed' | 'emergency' | 'writesKilled' | 'failSafe' | 'onChange'>,
    /** An emergency that was declared for the whole life of the process. */
    private readonly bootedInEmergency: boolean,
  ) {
    this.#flags = new Map(registeredFlags(domains).map((registered) => [registered.flag, registered]));
    checkKeepers(domains);
    this.decide();
    const changed = () => {
      this.decide();
      for (const listener of this.#listeners) listener();
    };
    flags.onChange(changed);
    overlay.onChange(changed);
  }

  /** Before a copy of the database, for looking: these are on, whatever the flags say, and nothing may be written. */
  static forLooking(domains: readonly Domain[], enabled: readonly Domain[]): Gate {
    const open = new Set(enabled.flatMap(({ flag, features }) => [flag, ...features.map((feature) => feature.flag)]));
    const reading = (flag: string): FlagReading => ({ known: true, on: open.has(flag), mode: 'on', gradual: false });
    const onChange = () => () => false;
    const overlay = { killed: () => false, emergency: false, writesKilled: true, failSafe: false, onChange };
    return new Gate(domains, { reading, modeFor: () => 'on', onChange }, overlay, false);
  }

  /** The domains that should be composed now: each is on for somebody. */
  enabled(): readonly Domain[] {
    return this.#enabled;
  }

  /** Without a context: for whomever it is on, which is what guards before sign-in and cron jobs ask. */
  domainMode(domain: string, context?: GateContext): Mode {
    return this.modeOf(this.#domains.get(domain) ?? never, context);
  }

  /** The stricter of the feature's own mode and its domain's. A flag that no domain has is off. */
  featureMode(flag: string, context?: GateContext): Mode {
    return this.modeOf(this.#features.get(flag) ?? never, context);
  }

  /** Whether the domain's answer, or the feature's, depends on who asks. */
  isGradual(domain: string, feature?: string): boolean {
    const rule = feature === undefined ? this.#domains.get(domain) : this.#features.get(feature);
    return rule !== undefined && rule.gradual.length > 0;
  }

  /** Whether anything may be changed at all. */
  writesAllowed(): boolean {
    return !this.overlay.writesKilled;
  }

  get emergency(): boolean {
    return this.bootedInEmergency || this.overlay.emergency || this.flags.reading(EMERGENCY_ROLLBACK).on;
  }

  /** Every layer's word, and the mode that follows. */
  explain(flag: string, context?: GateContext): FlagVerdict {
    const registered = this.#flags.get(flag);
    const feature = registered?.feature === true;
    return {
      flag,
      mode: feature || !registered ? this.featureMode(flag, context) : this.domainMode(registered.domain.name, context),
      source: this.flags.reading(flag),
      parentsOff: registered ? this.parentsOff(registered, context) : [],
      killed: this.overlay.killed(flag),
      emergency: this.emergency && registered?.domain.survivesEmergency !== true,
      failSafe: this.overlay.failSafe,
    };
  }

  /** Called after a change is in force, never while it is being made. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  private modeOf({ base, gradual }: Rule, context: GateContext | undefined): Mode {
    if (gradual.length === 0 || context === undefined || base === 'off') return base;
    let mode: Mode = base;
    for (const { flag, parent } of gradual) {
      const own = this.flags.modeFor(flag, context);
      if (own === 'off') return 'off';
      if (!parent) mode = stricter(mode, own);
    }
    return mode;
  }

  /** Works everything out that does not depend on who asks, so that asking costs next to nothing. */
  private decide(): void {
    const domains = new Map<string, Rule>();
    const features = new Map<string, Rule>();
    for (const domain of this.domains) {
      const parents = domain.after.map((name) => domains.get(name) ?? never);
      const standing = all(parents.map(asParent));
      const own = domain.flag === undefined ? always : this.own(domain, domain.flag);
      domains.set(domain.name, all([standing, own]));
      for (const { flag } of domain.features) {
        const above = keeps(domain, flag) && !this.closed(domain, domain.flag) ? whileKept(own) : own;
        features.set(flag, all([standing, above, this.own(domain, flag)]));
      }
    }
    this.#domains = domains;
    this.#features = features;
    this.#enabled = enabledDomains(this.domains, (flag) => {
      const domain = this.#flags.get(flag)?.domain;
      return domain !== undefined && !this.closed(domain, domain.flag) && this.own(domain, flag).base !== 'off';
    });
  }

  private own(domain: Domain, flag: string): Rule {
    const { on, mode, gradual } = this.flags.reading(flag);
    if (!on || this.closed(domain, flag)) return never;
    return { base: mode, gradual: gradual ? [{ flag, parent: false }] : [] };
  }

  /** Whether something other than the flag's source holds it closed. */
  private closed(domain: Domain, flag: string | undefined): boolean {
    if (flag !== undefined && this.overlay.killed(flag)) return true;
    return this.overlay.failSafe || (this.emergency && domain.survivesEmergency !== true);
  }

  private parentsOff({ domain, feature, flag }: RegisteredFlag, context: GateContext | undefined): string[] {
    const parents = feature && !keeps(domain, flag) ? [domain.name] : domain.after;
    return parents.filter((name) => this.domainMode(name, context) === 'off');
  }
}

/** All of them must let through what the whole lets through. */
function all(rules: readonly Rule[]): Rule {
  return {
    base: rules.reduce<Mode>((mode, { base }) => stricter(mode, base), 'on'),
    gradual: rules.flatMap(({ gradual }) => gradual),
  };
}

/** Of what a domain comes after only its absence matters, not its mode. */
function asParent({ base, gradual }: Rule): Rule {
  return { base: base === 'off' ? 'off' : 'on', gradual: gradual.map(({ flag }) => ({ flag, parent: true })) };
}

function keeps({ keptBy = [] }: Domain, flag: string): boolean {
  return keptBy.includes(flag);
}

/** A feature that keeps its domain does not go off with the domain's flag; where the domain is on, its mode holds. */
function whileKept({ base }: Rule): Rule {
  return { base: base === 'off' ? 'on' : base, gradual: [] };
}

function checkKeepers(domains: readonly Domain[]): void {
  for (const { name, keptBy = [], features } of domains) {
    const stranger = keptBy.find((flag) => !features.some((feature) => feature.flag === flag));
    if (stranger !== undefined) throw new Error(`${name} is kept by ${stranger}, which is none of its features`);
  }
}
