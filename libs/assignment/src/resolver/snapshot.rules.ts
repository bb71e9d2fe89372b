import type { NodeToAssign, TokenToAssign } from '@belay/production';
import type { Attendance, LocalTime } from './availability.rules.js';
import type { LoadMode, Work } from './load.rules.js';
import type { Rule } from './precedence.rules.js';

export interface KnownTeam {
  readonly id: string;
  readonly siteId: string;
  readonly category: string;
  readonly productionMode: 'atelier' | 'oem' | 'hybrid';
  readonly loadMode: LoadMode;
  readonly pull: boolean;
  readonly active: boolean;
  /** The team as a whole does not work on the day. */
  readonly closed: boolean;
  readonly local: LocalTime;
  /** The day of the calendar, which skills go by. */
  readonly date: string;
  /** Where the round of the team at this node stands. */
  readonly lastOperatorId: string | null;
  /** Open assignments to the team that nobody has claimed. */
  readonly unclaimed: number;
}

export interface KnownMember {
  readonly teamId: string;
  readonly operatorId: string;
  readonly role: 'lead' | 'supervisor' | 'qc' | 'member' | 'trainee';
  readonly capacityPerDay: number;
  readonly sortPriority: number;
  /** The account, the membership and the team are. */
  readonly active: boolean;
  /** Assignments of the local day. */
  readonly today: number;
}

interface KnownSkill {
  readonly code: string;
  readonly level: number;
  readonly from: string | null;
  /** The last day on which it counts. */
  readonly until: string | null;
}

export interface KnownOperator {
  readonly id: string;
  readonly attendance: Attendance;
  readonly skills: readonly KnownSkill[];
  readonly work: Work;
  readonly cycleMinutes: number | null;
  readonly lastAssignedAt: number | null;
}

/** What a decision asks of the node. */
export type KnownNode = Pick<
  NodeToAssign,
  | 'id'
  | 'graphId'
  | 'code'
  | 'productionMode'
  | 'teamCategory'
  | 'workCenterId'
  | 'assignmentPolicy'
  | 'preferredTeamId'
  | 'allowedTeamIds'
  | 'forbiddenTeamIds'
  | 'allowTrainee'
  | 'requiredSkills'
  | 'estimatedMinutes'
  | 'estimateBasis'
>;

/** All that a decision rests on, as it was at one instant. Whoever changes something in it sees what that would change. */
export interface Snapshot {
  readonly at: number;
  readonly node: KnownNode;
  /** Whether people work at the node at all. */
  readonly operable: boolean;
  /** Whether overrides, rosters and closed teams keep anybody from work. */
  readonly enforced: boolean;
  /** Whether general teams do the work of a category that no team has. */
  readonly generalFallback: boolean;
  /** In force for the node, and for one of the tokens or jobs asked about. */
  readonly rules: readonly Rule[];
  readonly teams: readonly KnownTeam[];
  readonly members: readonly KnownMember[];
  readonly operators: readonly KnownOperator[];
  /** Of the jobs asked about, those that are made in pieces of an OEM line. */
  readonly oemJobs: ReadonlySet<string>;
}

export type AskedToken = Pick<TokenToAssign, 'id' | 'jobTicketId' | 'siteId' | 'qty'> & {
  /** Operators who must not get it. */
  readonly excluded: readonly string[];
};

/** What the node's work on the token is expected to take. */
export function minutesOf({ estimatedMinutes, estimateBasis }: KnownNode, qty: number): number {
  return (estimatedMinutes ?? 0) * (estimateBasis === 'unit' ? qty : 1);
}
