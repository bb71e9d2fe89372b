import { spreadOf } from './load.rules.js';
import { People, unfit } from './people.rules.js';
import { resolve, type Resolution } from './resolver.rules.js';
import { teamsFor } from './search.rules.js';
import type { AskedToken, Snapshot } from './snapshot.rules.js';

/** A node's work as it would go: who has which token, and how many may be at it. */
export interface Outlook {
  readonly resolutions: readonly Resolution[];
  /** Tokens that wait for a place, in their order. */
  readonly waiting: number;
  readonly headcount: number;
  /** How unevenly the work would lie on those who could do it. */
  readonly sigma: number;
}

/** Decides for all tokens, in the order of the queue; only the first `places` of them may be let in. */
export function outlookOf(snapshot: Snapshot, tokens: readonly AskedToken[], places: number): Outlook {
  const first = resolve(snapshot, tokens.slice(0, places), { limit: null, shadow: false }).resolutions;
  const others = resolve(snapshot, tokens.slice(places), { limit: 'CONCURRENCY_LIMIT', shadow: false }).resolutions;
  const people = eligible(snapshot, new Set(tokens.map(({ siteId }) => siteId)));
  const given = new Map<string, number>();
  for (const one of first) {
    const operatorId = one.decision === 'ASSIGNED' ? one.assignee.operatorId : null;
    if (operatorId !== null) given.set(operatorId, (given.get(operatorId) ?? 0) + 1);
  }
  const open = new Map(snapshot.operators.map(({ id, work }) => [id, work.open]));
  const loads = [...people].map((id) => (open.get(id) ?? 0) + (given.get(id) ?? 0));
  return {
    resolutions: [...first, ...others],
    waiting: others.length,
    headcount: people.size,
    sigma: spreadOf(loads).sigma,
  };
}

/** Everybody who could be chosen for the node's work at one of the sites. */
export function eligible(snapshot: Snapshot, sites: ReadonlySet<string>): Set<string> {
  const people = new People(snapshot);
  const { preferredTeamId } = snapshot.node;
  const preferred = preferredTeamId === null ? undefined : people.team(preferredTeamId);
  const teams = [
    ...(preferred && unfit(snapshot.node, preferred) === null ? [preferred] : []),
    ...[...sites].flatMap((site) => teamsFor(snapshot, site).usable),
  ];
  return new Set(teams.flatMap((team) => people.present(team).qualified.map(({ operatorId }) => operatorId)));
}

/** As if nobody had the tokens yet that these operators were given; each is one less for them. */
export function takenBack(snapshot: Snapshot, had: readonly string[]): Snapshot {
  const less = new Map<string, number>();
  for (const operatorId of had) less.set(operatorId, (less.get(operatorId) ?? 0) + 1);
  return {
    ...snapshot,
    operators: snapshot.operators.map((operator) => {
      const count = less.get(operator.id) ?? 0;
      const { open, lastDay, serials } = operator.work;
      const work = {
        ...operator.work,
        open: Math.max(0, open - count),
        lastDay: Math.max(0, lastDay - count),
        serials: Math.max(0, serials - count),
      };
      return count === 0 ? operator : { ...operator, work };
    }),
    members: snapshot.members.map((member) => ({
      ...member,
      today: Math.max(0, member.today - (less.get(member.operatorId) ?? 0)),
    })),
  };
}

/** As if somebody were on leave; until when does not matter for what is decided now. */
export function onLeave(snapshot: Snapshot, operatorId: string, until: number | null): Snapshot {
  return {
    ...snapshot,
    operators: snapshot.operators.map((one) =>
      one.id === operatorId
        ? {
            ...one,
            attendance: { ...one.attendance, leaves: [...one.attendance.leaves, { from: snapshot.at, until }] },
          }
        : one,
    ),
  };
}
