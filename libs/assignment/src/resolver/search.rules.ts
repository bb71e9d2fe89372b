import { unfit, type Dropped, type People, type Unfit } from './people.rules.js';
import type { Rule } from './precedence.rules.js';
import { ranked, type Candidate } from './ranking.rules.js';
import type { AskedToken, KnownMember, KnownTeam, Snapshot } from './snapshot.rules.js';
import type { Tally } from './tally.rules.js';

export interface Search {
  readonly snapshot: Snapshot;
  readonly people: People;
  readonly tally: Tally;
  readonly token: AskedToken;
}

/** Who could do it, the best first; never nobody. */
export interface Shortlist {
  readonly kind: 'found';
  readonly best: Candidate;
  readonly candidates: readonly Candidate[];
  /** Whether somebody was named, instead of chosen from a team. */
  readonly named: boolean;
  readonly warnings: readonly string[];
  readonly dropped: readonly Dropped[];
}

/** Why nobody was found: what the last of those in question were dropped for. */
export interface NotFound {
  readonly kind: 'no_team' | Unfit | 'away' | 'unskilled' | 'full' | 'rejected';
  readonly dropped: readonly Dropped[];
}

export type Found = Shortlist | NotFound;

/** A pin is obeyed as long as somebody is there; a plan only where the node's own demands are met. */
export function searchRule(search: Search, rule: Pick<Rule, 'mode' | 'assigneeType' | 'assigneeId'>): Found {
  return rule.assigneeType === 'team'
    ? searchTeam(search, rule.assigneeId, rule.mode)
    : searchOperator(search, rule.assigneeId, rule.mode);
}

function searchOperator({ snapshot, people, tally, token }: Search, operatorId: string, mode: Rule['mode']): Found {
  const member = people.membershipFor(operatorId, token.siteId);
  const team = member && people.team(member.teamId);
  if (!member || !team) return nobody('away', [{ operatorId, because: 'away', detail: 'inactive' }]);
  const obstacle = unfit(snapshot.node, team);
  if (obstacle !== null && mode === 'PLAN') return nobody(obstacle);
  const { available, reason, notes } = people.availability(operatorId, team);
  if (!available) return nobody('away', [{ operatorId, because: 'away', detail: reason ?? 'inactive' }]);
  if (token.excluded.includes(operatorId)) return nobody('rejected', [{ operatorId, because: 'rejected' }]);
  const missing = people.missingSkill(operatorId, team.date);
  if (missing !== null && mode === 'PLAN') {
    return nobody('unskilled', [{ operatorId, because: 'skill', detail: missing }]);
  }
  const best = tally.candidate(member, team, 0);
  const warnings = [...notes, ...(obstacle ? [obstacle] : []), ...(missing === null ? [] : ['skill_missing'])];
  return { kind: 'found', best, candidates: [best], named: true, warnings, dropped: [] };
}

/** Also for the team that a node prefers, which is a plan. */
export function searchTeam(search: Search, teamId: string, mode: Rule['mode']): Found {
  const { snapshot, people, token } = search;
  const team = people.team(teamId);
  const obstacle = team ? unfit(snapshot.node, team) : 'inactive';
  if (obstacle !== null && mode === 'PLAN') return nobody(obstacle);
  if (!team?.active) return nobody('away');
  const { all, qualified, dropped } = people.present(team);
  if (all.length === 0) return nobody('away', dropped);
  if (qualified.length === 0 && mode === 'PLAN') return nobody('unskilled', dropped);

  const asked = [qualified, ...(mode === 'PIN' ? [all] : [])].map((pool) => withoutExcluded(pool, token));
  const free = asked.find((pool) => pool.length > 0);
  if (!free) return nobody('rejected', [...dropped, ...rejections(token)]);
  const warnings = [...(obstacle ? [obstacle] : []), ...(free === asked[0] ? [] : ['not_qualified'])];
  return chosenFrom(search, [{ team, members: free }], warnings, [...dropped, ...rejections(token)]);
}

/** The choice of whoever is loaded least, in the teams whose work it is; constraints hold. */
export function searchAuto(search: Search): Found {
  const { snapshot, people, tally, token } = search;
  const teams = teamsFor(snapshot, token.siteId);
  if (teams.usable.length === 0) return nobody(teams.wrongMode ? 'mode_mismatch' : 'no_team');

  const present = teams.usable.map((team) => ({ team, ...people.present(team) }));
  const dropped = present.flatMap((team) => team.dropped);
  if (present.every(({ all }) => all.length === 0)) return nobody('away', dropped);
  if (present.every(({ qualified }) => qualified.length === 0)) return nobody('unskilled', dropped);

  const full: Dropped[] = [];
  const open = present.map(({ team, qualified }) => {
    const members = qualified.filter((member) => tally.hasRoom(member));
    for (const member of qualified) {
      if (!tally.hasRoom(member)) full.push({ operatorId: member.operatorId, because: 'capacity' });
    }
    return { team, members };
  });
  if (open.every(({ members }) => members.length === 0)) return nobody('full', [...dropped, ...full]);

  const free = open.map(({ team, members }) => ({ team, members: withoutExcluded(members, token) }));
  const all = [...dropped, ...full, ...rejections(token)];
  if (free.every(({ members }) => members.length === 0)) return nobody('rejected', all);
  return chosenFrom(search, free, [], all);
}

/** Teams of the category at the place where the work is; general ones only instead, where that is allowed. */
export function teamsFor(
  snapshot: Snapshot,
  place: string,
): { readonly usable: readonly KnownTeam[]; readonly wrongMode: boolean } {
  const { node, generalFallback } = snapshot;
  const local = snapshot.teams.filter(({ siteId, active }) => active && siteId === place);
  const of = (category: string | null) => local.filter((team) => team.category === category);
  const usable = (teams: readonly KnownTeam[]) => teams.filter((team) => unfit(node, team) === null);
  const own = of(node.teamCategory);
  const found = usable(own);
  const wrongMode = own.some((team) => unfit(node, team) === 'mode_mismatch');
  return { usable: found.length > 0 || !generalFallback ? found : usable(of('general')), wrongMode };
}

function chosenFrom(
  { people, tally }: Search,
  pools: readonly { readonly team: KnownTeam; readonly members: readonly KnownMember[] }[],
  warnings: readonly string[],
  dropped: readonly Dropped[],
): Shortlist {
  const all = pools.flatMap(({ team, members }) =>
    members.map((member) => tally.candidate(member, team, members.length)),
  );
  const candidates = onceEach(ranked(all));
  const [best] = candidates;
  if (!best) throw new Error('Somebody is chosen from nobody');
  const notes = people.availability(best.operatorId, people.team(best.teamId)).notes;
  return { kind: 'found', best, candidates, named: false, warnings: [...notes, ...warnings], dropped };
}

/** Who is in several of the teams counts as of the one that is best for them. */
function onceEach(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ operatorId }) => {
    if (seen.has(operatorId)) return false;
    seen.add(operatorId);
    return true;
  });
}

function withoutExcluded(members: readonly KnownMember[], { excluded }: AskedToken): readonly KnownMember[] {
  return excluded.length === 0 ? members : members.filter(({ operatorId }) => !excluded.includes(operatorId));
}

function rejections({ excluded }: AskedToken): Dropped[] {
  return excluded.map((operatorId) => ({ operatorId, because: 'rejected' }));
}

function nobody(kind: NotFound['kind'], dropped: readonly Dropped[] = []): NotFound {
  return { kind, dropped };
}
