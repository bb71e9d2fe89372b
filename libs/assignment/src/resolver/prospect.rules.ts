import type { Question, Room } from '@belay/production';
import { spreadOf } from './load.rules.js';
import { People, unfit } from './people.rules.js';
import { Dispatch, type Resolution } from './resolver.rules.js';
import { teamsFor } from './search.rules.js';
import type { AskedToken, Snapshot } from './snapshot.rules.js';

/** A token that comes to a node, and the room in which it is counted with others. */
export interface Comer {
  readonly token: AskedToken;
  readonly nodeCode: string;
  readonly room: Room;
}

export type Fate<C extends Comer> = C & {
  readonly resolution: Resolution;
  /** Among those that wait in the same room, from 1; null for one that does not wait. */
  readonly position: number | null;
};

/** A node's work as it would go. */
export interface Outlook<C extends Comer> {
  readonly fates: readonly Fate<C>[];
  /** How many may be at it. */
  readonly headcount: number;
  /** How unevenly all work would lie on those who could do this. */
  readonly sigma: number;
}

/**
 * Decides for all tokens, in the order in which they come: whoever is let in takes a place in their room, and who got
 * something at one node has it at all. `limitAfter` says what keeps out one that comes after so many others.
 */
export function outlooksOf<C extends Comer>(
  snapshots: ReadonlyMap<string, Snapshot>,
  comers: readonly C[],
  limitAfter: (room: Room, before: number) => Question['limit'],
): Map<string, Outlook<C>> {
  const dispatches = new Map([...snapshots].map(([code, snapshot]) => [code, new Dispatch(snapshot, false)]));
  const admitted = new Map<Room, number>();
  const waiting = new Map<Room, number>();
  const fates = new Map<string, Fate<C>[]>([...snapshots.keys()].map((code) => [code, []]));
  for (const comer of comers) {
    const { token, nodeCode, room } = comer;
    const here = dispatches.get(nodeCode);
    if (!here) throw new Error(`There is no snapshot of the node ${nodeCode}`);
    const before = admitted.get(room) ?? 0;
    const resolution = here.decide(token, limitAfter(room, before));
    const position = resolution.decision === 'QUEUED' ? (waiting.get(room) ?? 0) + 1 : null;
    if (position === null) admitted.set(room, before + 1);
    else waiting.set(room, position);
    fates.get(nodeCode)?.push({ ...comer, resolution, position });
    const operatorId = resolution.decision === 'ASSIGNED' ? resolution.assignee.operatorId : null;
    if (operatorId === null) continue;
    for (const other of dispatches.values()) if (other !== here) other.heard(operatorId, token);
  }
  return new Map(
    [...dispatches].map(([code, dispatch]) => {
      const own = fates.get(code) ?? [];
      const people = eligible(dispatch.snapshot, new Set(own.map(({ token }) => token.siteId)));
      const { sigma } = spreadOf([...people].map((id) => dispatch.openOf(id)));
      return [code, { fates: own, headcount: people.size, sigma }];
    }),
  );
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
