import type { FlagOrigin } from '../flags/flag-feed.js';
import type { Mode } from '../flags/mode.js';
import type { Runtime } from '../runtime.js';
import type { FlagVerdict } from './gate.js';

export interface FeatureHealth extends FlagVerdict {
  readonly title: string;
}

export interface DomainHealth {
  readonly name: string;
  readonly title: string;
  readonly mode: Mode;
  /** Whether it is composed in this process. */
  readonly booted: boolean;
  readonly after: readonly string[];
  /** Every layer's word on the domain's own flag; null for a core domain, which has none. */
  readonly verdict: FlagVerdict | null;
  readonly features: readonly FeatureHealth[];
}

export interface DomainsHealth {
  readonly processId: string;
  readonly emergency: boolean;
  readonly writesAllowed: boolean;
  readonly flags: {
    readonly origin: FlagOrigin;
    /** When the source was last seen to agree with what is in force here; null when it never was. */
    readonly agreedAt: string | null;
    readonly sha256: string;
  };
  readonly overlay: {
    /** Number of the last override in force here. */
    readonly seq: string;
    readonly readAt: string | null;
    /** Whether a change would be heard of at once, not only within a second. */
    readonly listening: boolean;
    readonly failSafe: boolean;
  };
  readonly domains: readonly DomainHealth[];
}

/** What this process thinks of every domain and feature, and why; nothing here asks a database or a flag server. */
export function healthOfDomains(runtime: Runtime): DomainsHealth {
  const { processId, domains, gate, flags, overlay, presence } = runtime;
  return {
    processId,
    emergency: gate.emergency,
    writesAllowed: gate.writesAllowed(),
    flags: { origin: flags.origin, agreedAt: flags.agreedAt?.toISOString() ?? null, sha256: flags.sha256 },
    overlay: {
      seq: String(overlay.seq),
      readAt: overlay.readAt?.toISOString() ?? null,
      listening: overlay.listening,
      failSafe: overlay.failSafe,
    },
    domains: domains.map(({ name, title, flag, after, features }) => ({
      name,
      title,
      mode: gate.domainMode(name),
      booted: presence.booted.includes(name),
      after,
      verdict: flag === undefined ? null : gate.explain(flag),
      features: features.map((feature) => ({ ...gate.explain(feature.flag), title: feature.title })),
    })),
  };
}
