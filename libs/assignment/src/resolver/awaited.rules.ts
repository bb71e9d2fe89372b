import { People, type Dropped } from './people.rules.js';
import { rulesOf } from './precedence.rules.js';
import { searchAuto, searchRule, searchTeam, type Search } from './search.rules.js';
import type { AskedToken, KnownTeam, Snapshot } from './snapshot.rules.js';
import { Tally } from './tally.rules.js';

/** Somebody who would get the work if they were there, or had done less today. */
export interface Awaited {
  readonly operatorId: string;
  readonly team: KnownTeam;
  /** They are there, and have as much as they can do until the next day. */
  readonly full: boolean;
}

/** Whom a token waits for: the target of the rule that says to wait, else whoever has the skills. */
export function awaitedBy(snapshot: Snapshot, token: AskedToken): Awaited[] {
  const people = new People(snapshot);
  const search: Search = { snapshot, people, tally: new Tally(snapshot, people), token };
  for (const rule of rulesOf(snapshot.rules, token)) {
    const found = searchRule(search, rule);
    if (found.kind === 'found') return [];
    if (found.kind === 'away' && rule.whenAway === 'WAIT') return awaited(search, found.dropped);
  }
  const { preferredTeamId, assignmentPolicy } = snapshot.node;
  if (assignmentPolicy === 'PLANNED_ONLY') return [];
  const preferred = preferredTeamId === null ? [] : searchTeam(search, preferredTeamId, 'PLAN').dropped;
  return awaited(search, [...preferred, ...searchAuto(search).dropped]).filter(({ operatorId, team }) => {
    const trainee = people.membersOf(team.id).some((one) => one.operatorId === operatorId && one.role === 'trainee');
    return people.missingSkill(operatorId, team.date) === null && (!trainee || snapshot.node.allowTrainee);
  });
}

function awaited({ people, token }: Search, dropped: readonly Dropped[]): Awaited[] {
  return dropped.flatMap(({ operatorId, because }) => {
    if (because !== 'away' && because !== 'capacity') return [];
    const member = people.membershipFor(operatorId, token.siteId);
    const team = member && people.team(member.teamId);
    return team ? [{ operatorId, team, full: because === 'capacity' }] : [];
  });
}
