import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '@belay/platform';
import type { AssignmentPolicy, NodeToAssign, TokenToAssign, Verdict, WorkQuestion } from '@belay/production';
import type { EntityManager } from 'typeorm';
import { attendanceAt } from '../state/attendance.queries.js';
import { availabilityAt, firstAvailable } from './availability.rules.js';
import { awaitedBy, type Awaited } from './awaited.rules.js';
import { attendanceAhead, closedDays, momentsAhead, skillsMissing } from './calendar.queries.js';
import { eligible } from './prospect.rules.js';
import type { Snapshot } from './snapshot.rules.js';
import { Snapshots } from './snapshots.service.js';

/** Who may do work, how many could, and when those who cannot now are back. */
@Injectable()
export class Eligibility {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly snapshots: Snapshots,
  ) {}

  /** A team may always be asked: somebody of it will have to be there to claim the work. */
  async mayWork(tx: EntityManager, question: WorkQuestion): Promise<Verdict> {
    const { operatorId } = question.target;
    if (operatorId === null) return { allowed: true, warnings: [] };
    const { at, flags, confirmed } = question;
    const [known] = await attendanceAt(tx, [[operatorId], at]);
    if (!known) throw new Error('Everybody who is asked about is answered for');
    const there = availabilityAt(known.attendance, known.local, at.getTime(), flags['enforced'] === true);
    const { available, reason, until, notes } = there;
    if (!available && !(confirmed && reason !== 'inactive')) {
      return {
        allowed: false,
        because: 'operator-unavailable',
        reason: reason ?? 'off',
        until: until === null ? null : new Date(until),
        confirmable: reason !== 'inactive',
      };
    }
    const missing = await this.missingSkill(tx, question, operatorId);
    if (missing !== null && this.config.ASSIGNMENT_SKILLS_ON_START === 'block') {
      return { allowed: false, because: 'skill-missing', skill: missing };
    }
    const confirmedAway = available ? [] : [`operator_unavailable_${reason ?? 'off'}`];
    return { allowed: true, warnings: [...notes, ...confirmedAway, ...(missing === null ? [] : ['skill_missing'])] };
  }

  /** Everybody who could be chosen for the node's work at the site. */
  async people(
    tx: EntityManager,
    node: NodeToAssign,
    siteId: string,
    at: Date,
    enforced: boolean,
  ): Promise<Set<string>> {
    const snapshot = await this.snapshots.load(tx, { node, tokens: [], siteId, at, enforced });
    return eligible(snapshot, new Set([siteId]));
  }

  /** When the first of those is there whom each token waits for; left out where nobody can say. */
  async nextStart(
    tx: EntityManager,
    tokens: readonly TokenToAssign[],
    node: NodeToAssign,
    from: Date,
    enforced: boolean,
  ): Promise<Map<string, Date>> {
    return this.nextStartIn(tx, await this.snapshots.load(tx, { node, tokens, at: from, enforced }), tokens);
  }

  /** The same questions, answered from snapshots that somebody has at hand; leaves that they alone know of hold as well. */
  within(snapshotOf: (node: NodeToAssign) => Snapshot | undefined): Pick<AssignmentPolicy, 'headcount' | 'nextStart'> {
    return {
      headcount: (_tx, node, siteId) => {
        const snapshot = snapshotOf(node);
        return Promise.resolve(snapshot ? eligible(snapshot, new Set([siteId])).size : 0);
      },
      nextStart: (tx, tokens, node) => {
        const snapshot = snapshotOf(node);
        return snapshot ? this.nextStartIn(tx, snapshot, tokens) : Promise.resolve(new Map());
      },
    };
  }

  private async nextStartIn(
    tx: EntityManager,
    snapshot: Snapshot,
    tokens: readonly TokenToAssign[],
  ): Promise<Map<string, Date>> {
    const waits = tokens.map((token) => ({ token, awaited: awaitedBy(snapshot, { ...token, excluded: [] }) }));
    const all = new Map(waits.flatMap(({ awaited }) => awaited.map((one) => [keyOf(one), one])));
    const returns = await this.returns(tx, snapshot, [...all.values()]);
    return new Map(
      waits.flatMap(({ token, awaited }): [string, Date][] => {
        const first = Math.min(...awaited.map((one) => returns.get(keyOf(one)) ?? Infinity));
        return Number.isFinite(first) ? [[token.id, new Date(first)]] : [];
      }),
    );
  }

  private async returns(
    tx: EntityManager,
    snapshot: Snapshot,
    awaited: readonly Awaited[],
  ): Promise<Map<string, number>> {
    if (awaited.length === 0) return new Map();
    const { enforced } = snapshot;
    const from = new Date(snapshot.at);
    const ids = [...new Set(awaited.map(({ operatorId }) => operatorId))];
    const supposed = new Map(snapshot.operators.map(({ id, attendance }) => [id, attendance.leaves]));
    const ahead = await attendanceAhead(tx, [ids, from]);
    const known = new Map(
      ahead.map(({ operatorId, attendance }) => [
        operatorId,
        { ...attendance, leaves: [...attendance.leaves, ...(supposed.get(operatorId) ?? [])] },
      ]),
    );
    const ends = [...known.values()].flatMap(({ leaves, override }) => [
      ...leaves.map(({ until }) => until),
      override?.until ?? null,
    ]);
    const instants = ends.filter((end) => end !== null).map((end) => new Date(end));
    const sites = [...new Set(awaited.map(({ team }) => team.siteId))];
    const moments = await momentsAhead(tx, [sites, from, instants]);
    const teams = [...new Set(awaited.map(({ team }) => team.id))];
    const closed = new Set(
      enforced ? (await closedDays(tx, [teams, from])).map(({ teamId, day }) => `${teamId} ${day}`) : [],
    );
    return new Map(
      awaited.flatMap((one): [string, number][] => {
        const { operatorId, team, full } = one;
        const open = moments
          .filter(({ siteId, date }) => siteId === team.siteId && (!full || date > team.date))
          .filter(({ day }) => !closed.has(`${team.id} ${day}`));
        const attendance = known.get(operatorId);
        const back = attendance ? firstAvailable(attendance, open, enforced) : null;
        return back === null ? [] : [[keyOf(one), back]];
      }),
    );
  }

  private async missingSkill(
    tx: EntityManager,
    { act, node, tokens, at }: WorkQuestion,
    operatorId: string,
  ): Promise<string | null> {
    const required = node.requiredSkills.filter((skill) => skill.required);
    const [token] = tokens;
    if (act !== 'start' || this.config.ASSIGNMENT_SKILLS_ON_START === 'off' || required.length === 0 || !token)
      return null;
    const codes = required.map(({ skillCode }) => skillCode);
    const levels = required.map(({ minLevel }) => minLevel);
    const [missing] = await skillsMissing(tx, [operatorId, codes, levels, token.siteId, at]);
    return missing?.skill ?? null;
  }
}

function keyOf({ operatorId, team, full }: Awaited): string {
  return `${operatorId} ${team.id} ${full}`;
}
