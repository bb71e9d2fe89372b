import type { Type } from '@nestjs/common';
import type { Command } from 'commander';
import type { CommandHost } from './command-host.js';
import type { DomainRecovery } from '../recovery/recovery.js';

/** A part of a domain that is switched on its own; its flag is a sub-flag of the domain's. */
export interface Feature {
  readonly flag: string;
  readonly title: string;
  /** Flags are off until somebody switches them on, unless off would be the unsafe side. */
  readonly defaultOn?: boolean;
}

/** Everything the rest of Belay must know about a domain: gates, walls, migrations, docs and rollback derive from it. */
export interface Domain {
  /** Folder, schema, migration ledger and Swagger tag at once. */
  readonly name: string;
  readonly title: string;
  /** Absent: the domain is core and always on. */
  readonly flag?: string;
  readonly defaultOn?: boolean;
  /** Feature flags any of which keeps the domain booted while its own is off (shadow runs, previews). */
  readonly keptBy?: readonly string[];
  /** Stays, with its features, when an emergency switches everything else off: the way back must be visible. */
  readonly survivesEmergency?: true;
  /** Whoever asks one of its routes without its permission is written into the audit trail. */
  readonly auditsDenials?: true;
  /** Domains it cannot live without: it is off when one of them is. */
  readonly after: readonly string[];
  /** Domains it uses when they are there. */
  readonly asks?: readonly string[];
  readonly features: readonly Feature[];
  /** The HTTP half, composed by the API. */
  readonly module: Type;
  /** Processors and cron, composed by the worker. */
  readonly jobs?: Type;
  /** What the worker's control context runs: never gated, never rebuilt, without queues. */
  readonly control?: Type;
  /** What the command line offers of it; those with the name of a command that is there already become parts of that. */
  readonly commands?: (host: CommandHost) => Promise<readonly Command[]>;
  /**
   * Does the work while nobody else changes schemas or switches modules; throws a `Problem` when somebody is at it. Given
   * by the domain that carries such changes out.
   */
  readonly whileAlone?: <Result>(controlUrl: string, purpose: string, work: () => Promise<Result>) => Promise<Result>;
  /** How it is switched off, taken down and brought back; without it only its flag is known. */
  readonly runbook?: DomainRecovery;
  /** Event names whose facts wait for this domain in its queue, also while it is off. */
  readonly listens?: readonly string[];
}

/** The domains that are on: their own flag is, and every domain they come after is. Order is kept. */
export function enabledDomains(domains: readonly Domain[], isOn: (flag: string) => boolean): readonly Domain[] {
  const enabled = new Map<string, Domain>();
  for (const domain of domains) {
    const gateOpen = domain.flag === undefined || [domain.flag, ...(domain.keptBy ?? [])].some(isOn);
    if (gateOpen && domain.after.every((name) => enabled.has(name))) enabled.set(domain.name, domain);
  }
  return [...enabled.values()];
}
