import { availabilityAt, type Availability } from './availability.rules.js';
import type { KnownMember, KnownNode, KnownOperator, KnownTeam, Snapshot } from './snapshot.rules.js';

/** Why somebody is not asked. */
type DropReason = 'away' | 'trainee' | 'skill' | 'capacity' | 'rejected';

export interface Dropped {
  readonly operatorId: string;
  readonly because: DropReason;
  readonly detail?: string;
}

/** Why a team is not asked. */
export type Unfit = 'inactive' | 'team_forbidden' | 'team_not_allowed' | 'mode_mismatch';

/** Members of a team who are there: those the node wants, and those it does not. */
export interface Present {
  readonly all: readonly KnownMember[];
  readonly qualified: readonly KnownMember[];
  readonly dropped: readonly Dropped[];
}

/** The people of a snapshot, and what can be said of them before any work is given out. */
export class People {
  readonly #teams: ReadonlyMap<string, KnownTeam>;
  readonly #operators: ReadonlyMap<string, KnownOperator>;
  readonly #members = new Map<string, KnownMember[]>();
  readonly #memberships = new Map<string, KnownMember[]>();
  readonly #present = new Map<string, Present>();

  constructor(private readonly snapshot: Snapshot) {
    this.#teams = new Map(snapshot.teams.map((team) => [team.id, team]));
    this.#operators = new Map(snapshot.operators.map((operator) => [operator.id, operator]));
    for (const member of snapshot.members) {
      grouped(this.#members, member.teamId, member);
      grouped(this.#memberships, member.operatorId, member);
    }
  }

  team(id: string): KnownTeam | undefined {
    return this.#teams.get(id);
  }

  operator(id: string): KnownOperator | undefined {
    return this.#operators.get(id);
  }

  membersOf(teamId: string): readonly KnownMember[] {
    return this.#members.get(teamId) ?? [];
  }

  /**
   * The team in which somebody would do the node's work: one that fits before one that does not, one of the site before
   * others. Undefined for who is in none.
   */
  membershipFor(operatorId: string, siteId: string): KnownMember | undefined {
    const rank = (member: KnownMember) => {
      const team = this.#teams.get(member.teamId);
      if (!team) return 3;
      return Number(unfit(this.snapshot.node, team) !== null) * 2 + Number(team.siteId !== siteId);
    };
    const active = (this.#memberships.get(operatorId) ?? []).filter((member) => member.active);
    return active.toSorted((one, other) => rank(one) - rank(other) || (one.teamId < other.teamId ? -1 : 1))[0];
  }

  availability(operatorId: string, team: KnownTeam | undefined): Availability {
    const { at, enforced } = this.snapshot;
    const operator = this.#operators.get(operatorId);
    const known = operator?.attendance ?? nobody;
    return availabilityAt(known, team?.local ?? { day: '', shift: null }, at, enforced);
  }

  /** Members of the team who are there; nobody while the team is closed. */
  present(team: KnownTeam): Present {
    const known = this.#present.get(team.id);
    if (known) return known;
    const present = this.look(team);
    this.#present.set(team.id, present);
    return present;
  }

  /** The first skill the node requires that somebody has not; null when nothing is missing. */
  missingSkill(operatorId: string, date: string): string | null {
    const lacking = this.snapshot.node.requiredSkills.find(
      (skill) => skill.required && !this.has(operatorId, skill.skillCode, skill.minLevel, date),
    );
    return lacking?.skillCode ?? null;
  }

  /** How many of the skills that are nice to have somebody has. */
  niceSkills(operatorId: string, date: string): number {
    return this.snapshot.node.requiredSkills.filter(
      (skill) => !skill.required && this.has(operatorId, skill.skillCode, skill.minLevel, date),
    ).length;
  }

  private look(team: KnownTeam): Present {
    const all: KnownMember[] = [];
    const qualified: KnownMember[] = [];
    const dropped: Dropped[] = [];
    const closed = team.closed && this.snapshot.enforced;
    for (const member of this.membersOf(team.id)) {
      const { operatorId } = member;
      const { available, reason } = member.active ? this.availability(operatorId, team) : inactive;
      if (closed || !available) {
        dropped.push({ operatorId, because: 'away', detail: reason ?? 'team' });
        continue;
      }
      all.push(member);
      const missing = this.missingSkill(operatorId, team.date);
      if (member.role === 'trainee' && !this.snapshot.node.allowTrainee) {
        dropped.push({ operatorId, because: 'trainee' });
      } else if (missing !== null) dropped.push({ operatorId, because: 'skill', detail: missing });
      else qualified.push(member);
    }
    return { all, qualified, dropped };
  }

  private has(operatorId: string, code: string, minLevel: number, date: string): boolean {
    const skills = this.#operators.get(operatorId)?.skills ?? [];
    return skills.some(
      (skill) =>
        skill.code === code &&
        skill.level >= minLevel &&
        (skill.from === null || skill.from <= date) &&
        (skill.until === null || date <= skill.until),
    );
  }
}

/** Why the team does not do the node's work; null when it does. */
export function unfit(
  node: Pick<KnownNode, 'allowedTeamIds' | 'forbiddenTeamIds' | 'productionMode'>,
  team: Pick<KnownTeam, 'id' | 'active' | 'productionMode'>,
): Unfit | null {
  if (!team.active) return 'inactive';
  if (node.forbiddenTeamIds.includes(team.id)) return 'team_forbidden';
  if (node.allowedTeamIds.length > 0 && !node.allowedTeamIds.includes(team.id)) return 'team_not_allowed';
  const modes = [team.productionMode, node.productionMode];
  return modes.includes('hybrid') || modes[0] === modes[1] ? null : 'mode_mismatch';
}

const nobody = { isOperator: false, leaves: [], override: null, outside: [], roster: [] };
const inactive = { available: false, reason: 'inactive' } as const;

function grouped<Row>(groups: Map<string, Row[]>, key: string, row: Row): void {
  const group = groups.get(key);
  if (group) group.push(row);
  else groups.set(key, [row]);
}
