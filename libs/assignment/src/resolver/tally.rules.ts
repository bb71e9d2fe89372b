import { loadOf, moreWork, type Work } from './load.rules.js';
import {
  minutesOf,
  type AskedToken,
  type KnownMember,
  type KnownOperator,
  type KnownTeam,
  type Snapshot,
} from './snapshot.rules.js';
import { inTeamOrder, type Candidate } from './ranking.rules.js';
import type { People } from './people.rules.js';

const idle: Work = { open: 0, sessions: 0, lastDay: 0, minutes: 0, pieces: 0, serials: 0 };

/** What everybody has, and what the picks of a batch add to it, so that the next pick sees the last. */
export class Tally {
  readonly #work = new Map<string, Work>();
  readonly #lastAssigned = new Map<string, number>();
  readonly #given = new Map<string, number>();
  readonly #unclaimed = new Map<string, number>();
  readonly #turns = new Map<string, string>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly people: People,
  ) {}

  /** Where the rounds of the teams have got to by the picks, by team. */
  get turns(): ReadonlyMap<string, string> {
    return this.#turns;
  }

  candidate(member: KnownMember, team: KnownTeam, among: number): Candidate {
    const { operatorId, sortPriority } = member;
    const operator = this.people.operator(operatorId);
    const waiting = this.pulls(team) && among > 0 ? this.unclaimed(team) / among : 0;
    return {
      operatorId,
      teamId: team.id,
      load: loadOf(team.loadMode, this.workOf(operatorId, operator)) + waiting,
      niceSkills: this.people.niceSkills(operatorId, team.date),
      cycleMinutes: operator?.cycleMinutes ?? null,
      lastAssignedAt: this.#lastAssigned.get(operatorId) ?? operator?.lastAssignedAt ?? null,
      hadTurn: this.hadTurn(member, team),
      sortPriority,
    };
  }

  /** Whether a team gets the work as a whole, for whoever claims it. */
  pulls(team: KnownTeam): boolean {
    return team.pull || this.snapshot.node.assignmentPolicy === 'TEAM_PULL';
  }

  hasRoom(member: KnownMember): boolean {
    return member.today + (this.#given.get(member.operatorId) ?? 0) < member.capacityPerDay;
  }

  openOf(operatorId: string): number {
    return this.workOf(operatorId, this.people.operator(operatorId)).open;
  }

  give(operatorId: string, token: AskedToken): void {
    const work = this.workOf(operatorId, this.people.operator(operatorId));
    const oem = this.snapshot.oemJobs.has(token.jobTicketId);
    const minutes = minutesOf(this.snapshot.node, token.qty);
    this.#work.set(operatorId, moreWork(work, { minutes, pieces: token.qty, oem }));
    this.#lastAssigned.set(operatorId, this.snapshot.at);
    this.#given.set(operatorId, (this.#given.get(operatorId) ?? 0) + 1);
  }

  giveTeam(team: KnownTeam): void {
    this.#unclaimed.set(team.id, this.unclaimed(team) + 1);
  }

  /** The round of the team has come to somebody. */
  turn(teamId: string, operatorId: string): void {
    this.#turns.set(teamId, operatorId);
  }

  private workOf(operatorId: string, known: KnownOperator | undefined): Work {
    return this.#work.get(operatorId) ?? known?.work ?? idle;
  }

  private unclaimed(team: KnownTeam): number {
    return this.#unclaimed.get(team.id) ?? team.unclaimed;
  }

  private hadTurn(member: KnownMember, team: KnownTeam): boolean {
    const lastId = this.#turns.get(team.id) ?? team.lastOperatorId;
    if (lastId === null) return false;
    const last = this.people.membersOf(team.id).find(({ operatorId }) => operatorId === lastId);
    return last !== undefined && inTeamOrder(member, last) <= 0;
  }
}
