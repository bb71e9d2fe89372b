import type { Logger } from 'pino';
import { Unleash, UnleashEvents } from 'unleash-client';
import type { Config } from '../config/config.js';
import type { Domain } from '../domain/domain.js';
import { FileFeed } from './file.feed.js';
import type { FlagFeed, FlagOrigin } from './flag-feed.js';
import { FlagRepository } from './flag-repository.js';
import { fingerprint, type FlagDefinition, type FlagSegment, type FlagsDocument } from './flags-document.js';
import { modeOfVariant, type Mode } from './mode.js';
import { registeredFlags } from './registry.js';
import { UnleashFeed } from './unleash.feed.js';

/** Whom or what a flag is asked for; what is left out makes gradual strategies say no. */
export interface GateContext {
  readonly userId?: string;
  /** The first of admin, manager, supervisor, other that the user has. */
  readonly role?: string;
  readonly siteId?: string;
  readonly graphId?: string;
}

/** What the source says of a flag before anybody in particular asks. */
export interface FlagReading {
  /** Whether the source has the flag; else the default of the release speaks. */
  readonly known: boolean;
  /** Switched on with at least one strategy: on for somebody. */
  readonly on: boolean;
  /** The mode that everybody for whom it is on gets; `on` when that differs. */
  readonly mode: Mode;
  /** Whether the answer depends on who asks. */
  readonly gradual: boolean;
}

/** Askers remembered per flag. */
const mostAnswers = 10_000;

/** The flags in force, evaluated by unleash-client wherever they come from, so that gradual rollouts agree everywhere. */
export class Flags {
  readonly #repository = new FlagRepository();
  readonly #client: Unleash;
  readonly #defaultOn: ReadonlySet<string>;
  readonly #listeners = new Set<() => void>();
  #readings = new Map<string, FlagReading>();
  /** What askers were told since the last change, by flag; only of flags for which time alone changes nothing. */
  #answers = new Map<string, Map<string, Mode>>();
  #sha256 = '';

  private constructor(
    private readonly feed: FlagFeed,
    client: (repository: FlagRepository) => Unleash,
    domains: readonly Domain[],
  ) {
    this.#defaultOn = new Set(
      registeredFlags(domains)
        .filter(({ defaultOn }) => defaultOn)
        .map(({ flag }) => flag),
    );
    this.#client = client(this.#repository);
  }

  /** Throws `FlagsUnavailable` when there is no state to begin with. */
  static async open(config: Config, domains: readonly Domain[], instanceId: string, log: Logger): Promise<Flags> {
    const feed = feedOf(config, instanceId, log);
    const flags = new Flags(feed, (repository) => clientOf(config, repository, instanceId, log), domains);
    flags.replace(await feed.begin());
    void flags.#client.start();
    feed.follow((document) => {
      flags.apply(document);
    });
    return flags;
  }

  /** SHA-256 of everything that decides: equal in two processes when they decide alike. */
  get sha256(): string {
    return this.#sha256;
  }

  get origin(): FlagOrigin {
    return this.feed.origin;
  }

  get agreedAt(): Date | undefined {
    return this.feed.agreedAt;
  }

  reading(flag: string): FlagReading {
    const known = this.#readings.get(flag);
    if (known) return known;
    const reading = this.read(flag);
    this.#readings.set(flag, reading);
    return reading;
  }

  /** What the source says to this asker. */
  modeFor(flag: string, context: GateContext): Mode {
    const { on, mode, gradual } = this.reading(flag);
    if (!on) return 'off';
    if (!gradual) return mode;
    const answers = this.#answers.get(flag);
    if (!answers) return this.evaluate(flag, context);
    const asker = `${context.userId ?? ''}\n${context.role ?? ''}\n${context.siteId ?? ''}\n${context.graphId ?? ''}`;
    const told = answers.get(asker);
    if (told !== undefined) return told;
    if (answers.size >= mostAnswers) answers.clear();
    const answer = this.evaluate(flag, context);
    answers.set(asker, answer);
    return answer;
  }

  private evaluate(flag: string, context: GateContext): Mode {
    const variant = this.#client.getVariant(flag, { ...context });
    return variant.feature_enabled === true ? modeOfVariant(variant.name) : 'off';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.feed.close();
    this.#client.destroy();
  }

  private apply(document: FlagsDocument): void {
    if (fingerprint(document) === this.#sha256) return;
    this.replace(document);
    for (const listener of this.#listeners) listener();
  }

  private replace(document: FlagsDocument): void {
    this.#sha256 = fingerprint(document);
    this.#readings = new Map();
    this.#answers = new Map();
    this.#repository.replace(document);
  }

  private read(flag: string): FlagReading {
    const definition = this.#repository.getToggle(flag);
    if (!definition) return { known: false, on: this.#defaultOn.has(flag), mode: 'on', gradual: false };
    const { enabled, strategies = [] } = definition;
    const [mode, ...others] = modesOf(definition);
    const segments = strategies
      .flatMap((strategy) => strategy.segments ?? [])
      .map((id) => this.#repository.getSegment(id));
    if (!changesWithTime(definition, segments)) this.#answers.set(flag, new Map());
    return {
      known: true,
      on: enabled && strategies.length > 0,
      mode: mode === undefined || others.length > 0 ? 'on' : mode,
      gradual: others.length > 0 || !forEverybody(definition),
    };
  }
}

function feedOf(config: Config, instanceId: string, log: Logger): FlagFeed {
  const { UNLEASH_URL: url, UNLEASH_TOKEN: token } = config;
  if (url === undefined || token === undefined) return new FileFeed(config.FLAGS_FILE, log);
  const { FLAGS_BACKUP_DIR: backupDir, FLAGS_BOOTSTRAP_FILE: bootstrapFile } = config;
  return new UnleashFeed({ url, token, backupDir, bootstrapFile, instanceId, log });
}

function clientOf(config: Config, repository: FlagRepository, instanceId: string, log: Logger): Unleash {
  const client = new Unleash({
    appName: 'belay',
    instanceId,
    url: config.UNLEASH_URL ?? 'http://unleash.invalid',
    customHeaders: { authorization: config.UNLEASH_TOKEN ?? '' },
    disableMetrics: config.UNLEASH_URL === undefined,
    repository,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  client.on(UnleashEvents.Error, (error: unknown) => {
    log.debug({ err: error }, 'unleash client');
  });
  client.on(UnleashEvents.Warn, (reason: unknown) => {
    log.debug({ reason }, 'unleash client');
  });
  return client;
}

/** Every mode that somebody may get from the flag. */
function modesOf({ strategies = [], variants }: FlagDefinition): readonly Mode[] {
  const ofFlag = (variants ?? []).map(({ name }) => name);
  const names = strategies.flatMap((strategy) => {
    const own = (strategy.variants ?? []).map(({ name }) => name);
    if (own.length > 0) return own;
    return ofFlag.length > 0 ? ofFlag : ['on'];
  });
  return [...new Set(names.map(modeOfVariant))];
}

/** Whether the same asker may be told something else later, though nobody has changed the flag. */
function changesWithTime(
  { strategies = [], dependencies = [] }: FlagDefinition,
  segments: readonly (FlagSegment | undefined)[],
): boolean {
  const constraints = [...strategies, ...segments].flatMap((one) => one?.constraints ?? []);
  return dependencies.length > 0 || constraints.some(({ operator }) => operator.startsWith('DATE_'));
}

/** Whether one of the strategies lets everybody in, so that nothing remains to be asked. */
function forEverybody({ strategies = [], dependencies = [] }: FlagDefinition): boolean {
  if (dependencies.length > 0) return false;
  return strategies.some(({ name, parameters, constraints, segments = [] }) => {
    if (constraints.length > 0 || segments.length > 0) return false;
    if (name === 'default') return true;
    const { rollout, stickiness = 'default' } = parameters;
    const withoutUnit = stickiness === '' || stickiness === 'default' || stickiness === 'random';
    return name === 'flexibleRollout' && withoutUnit && Number(rollout) >= 100;
  });
}
