import { EMERGENCY_ROLLBACK, PLATFORM_WRITES, registeredFlags } from '@belay/platform';
import type { World } from '../engine/world.js';
import { readActualState, type ActualState } from './actual-state.queries.js';
import { hashOfDocument } from './plan-hash.rules.js';

/** Every domain with a schema in the application database, and every flag. */
export async function readEverything(world: World): Promise<ActualState> {
  const domains = world.ledgers.filter(({ database }) => database === 'application').map(({ domain }) => domain);
  return readActualState(world, domains, flagsOf(world, null));
}

/** Of the state that a plan for these domains rests on: equal as long as schemas, migrations and flags are as they were. */
export function fingerprintOf(state: ActualState, world: World, domains: readonly string[]): string {
  const flags = new Set(flagsOf(world, domains));
  return hashOfDocument({
    domains: state.domains.filter(({ domain }) => domains.includes(domain)),
    flags: state.flags.filter(({ flag }) => flags.has(flag)),
  });
}

/** The fingerprint as things are now. */
export async function fingerprintNow(world: World, domains: readonly string[]): Promise<string> {
  const everything = world.ledgers.map(({ domain }) => domain).filter((domain) => domains.includes(domain));
  return fingerprintOf(await readActualState(world, everything, flagsOf(world, domains)), world, domains);
}

function flagsOf({ domains: all }: World, domains: readonly string[] | null): string[] {
  const own = registeredFlags(all).filter(({ domain }) => domains === null || domains.includes(domain.name));
  return [...own.map(({ flag }) => flag), EMERGENCY_ROLLBACK, PLATFORM_WRITES];
}
