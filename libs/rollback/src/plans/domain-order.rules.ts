import type { Domain } from '@belay/platform';

/** The domain and every one that cannot live without it, those that depend on others first: the order in which they go. */
export function goingWith(domains: readonly Domain[], name: string): readonly Domain[] {
  const going = new Set([name]);
  for (const domain of domains) if (domain.after.some((one) => going.has(one))) going.add(domain.name);
  return domains.filter((domain) => going.has(domain.name)).reverse();
}

/** Flags each of which alone keeps the domain there: it is off when all of them are. */
export function gatesOf({ flag, keptBy = [] }: Domain): readonly string[] {
  return flag === undefined ? [] : [flag, ...keptBy];
}
