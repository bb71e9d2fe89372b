import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Rule } from './precedence.rules.js';
import { replayed } from './replay.rules.js';
import { resolve, type Resolution } from './resolver.rules.js';
import type { AskedToken, KnownMember, KnownOperator, KnownTeam, Snapshot } from './snapshot.rules.js';

const now = Date.parse('2025-11-20T12:00:00Z');
const [today, tomorrow] = ['2025-11-20', '2025-11-21'];
const teamIds = ['t1', 't2', 't3'];
const operatorIds = ['o1', 'o2', 'o3', 'o4', 'o5'];
const jobIds = ['j1', 'j2'];

const instant = fc.constantFrom(now - 1, now, now + 1);
const shift = fc.constantFrom('morning', 'evening', 'full');
const status = fc.constantFrom('work', 'overtime', 'leave', 'sick', 'off');
const rarely = fc.integer({ min: 0, max: 4 }).map((n) => n === 0);
const level = fc.integer({ min: 1, max: 4 });

const team = (id: string): fc.Arbitrary<KnownTeam> =>
  fc
    .record({
      id: fc.constant(id),
      siteId: fc.constantFrom('here', 'here', 'there'),
      category: fc.constantFrom('sewing', 'sewing', 'qc', 'general'),
      productionMode: fc.constantFrom('hybrid', 'atelier', 'oem'),
      loadMode: fc.constantFrom('count', 'count', 'weighted'),
      pull: rarely,
      active: rarely.map((inactive) => !inactive),
      closed: rarely,
      date: fc.constant(today),
      lastOperatorId: fc.option(fc.constantFrom(...operatorIds)),
      unclaimed: fc.integer({ min: 0, max: 2 }),
    })
    .map((one) => ({ ...one, local: { day: today, shift: one.siteId === 'here' ? 'morning' : null } }));

const operator = (id: string): fc.Arbitrary<KnownOperator> =>
  fc.record({
    id: fc.constant(id),
    attendance: fc.record({
      isOperator: fc.constant(true),
      leaves: fc.array(fc.record({ from: instant, until: fc.option(instant) }), { maxLength: 1 }),
      override: fc.option(fc.record({ isAvailable: fc.boolean(), until: fc.option(instant) }), { freq: 2 }),
      outside: fc.array(
        fc.record({
          day: fc.constantFrom(today, tomorrow),
          shift,
          status,
          freshness: fc.constantFrom('FRESH', 'STALE', 'EXPIRED'),
        }),
        { maxLength: 1 },
      ),
      roster: fc.uniqueArray(fc.record({ day: fc.constantFrom(today, tomorrow), shift, status }), {
        maxLength: 2,
        selector: ({ day, shift: one }) => `${day} ${one}`,
      }),
    }),
    skills: fc.array(
      fc.record({
        code: fc.constantFrom('LOCK', 'HEM'),
        level,
        from: fc.constantFrom(null, today, tomorrow),
        until: fc.constantFrom(null, '2025-11-19', today),
      }),
      { maxLength: 3 },
    ),
    work: fc.record({
      open: fc.integer({ min: 0, max: 3 }),
      sessions: fc.integer({ min: 0, max: 1 }),
      lastDay: fc.integer({ min: 0, max: 3 }),
      minutes: fc.constant(0),
      pieces: fc.constant(0),
      serials: fc.constant(0),
    }),
    cycleMinutes: fc.option(fc.integer({ min: 1, max: 3 })),
    lastAssignedAt: fc.option(fc.constantFrom(now - 2, now - 1)),
  });

const member = fc.record({
  teamId: fc.constantFrom(...teamIds),
  operatorId: fc.constantFrom(...operatorIds),
  role: fc.constantFrom('member', 'member', 'lead', 'trainee'),
  capacityPerDay: fc.integer({ min: 0, max: 4 }),
  sortPriority: fc.constantFrom(10, 50),
  active: rarely.map((inactive) => !inactive),
  today: fc.integer({ min: 0, max: 2 }),
}) satisfies fc.Arbitrary<KnownMember>;

const rule: fc.Arbitrary<Rule> = fc
  .record({
    id: fc.uuid(),
    mode: fc.constantFrom('PIN', 'PLAN'),
    scope: fc.constantFrom('token', 'job_node', 'node', 'job'),
    target: fc.constantFrom(...teamIds, ...operatorIds),
    of: fc.nat({ max: 1 }),
    priority: fc.integer({ min: 1, max: 3 }),
    whenAway: fc.constantFrom('WAIT', 'NEXT', 'NEXT'),
  })
  .map(({ id, mode, scope, target, of, priority, whenAway }) => ({
    id,
    mode: scope === 'token' ? 'PIN' : mode,
    scope,
    tokenId: scope === 'token' ? String(of) : null,
    jobTicketId: scope === 'job' || scope === 'job_node' ? (jobIds[of] ?? null) : null,
    nodeCode: scope === 'job' ? null : 'SEW',
    assigneeType: target.startsWith('t') ? 'team' : 'operator',
    assigneeId: target,
    priority,
    whenAway,
  }));

const ids = (from: readonly string[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.uniqueArray(fc.constantFrom(...from), { maxLength: 2 }));

const snapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    teams: fc.tuple(...teamIds.map(team)),
    operators: fc.tuple(...operatorIds.map(operator)),
    members: fc.uniqueArray(member, { maxLength: 9, selector: (one) => `${one.teamId} ${one.operatorId}` }),
    rules: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(rule, { maxLength: 3 })),
    enforced: fc.boolean(),
    generalFallback: fc.boolean(),
    node: fc.record({
      id: fc.constant('node'),
      graphId: fc.constant('graph'),
      code: fc.constant('SEW'),
      productionMode: fc.constantFrom('atelier', 'oem', 'hybrid'),
      teamCategory: fc.constantFrom('sewing', 'sewing', 'qc', null),
      workCenterId: fc.constant(null),
      assignmentPolicy: fc.constantFrom('AUTO', 'AUTO', 'AUTO', 'PLANNED_ONLY', 'TEAM_PULL'),
      preferredTeamId: fc.option(fc.constantFrom(...teamIds), { freq: 2 }),
      allowedTeamIds: ids(teamIds),
      forbiddenTeamIds: ids(teamIds),
      allowTrainee: fc.boolean(),
      requiredSkills: fc.array(
        fc.record({ skillCode: fc.constantFrom('LOCK', 'HEM'), minLevel: level, required: fc.boolean() }),
        { maxLength: 2 },
      ),
      estimatedMinutes: fc.constant(null),
      estimateBasis: fc.constant('unit'),
    }),
  })
  .map(({ members, teams, operators, ...facts }) => {
    // A membership is of no use in a team that is not active, and who has none that is, is no operator.
    const known = members.map((one) => ({
      ...one,
      active: one.active && teams.some(({ id, active }) => id === one.teamId && active),
    }));
    const isOperator = (id: string) => known.some(({ operatorId, active }) => operatorId === id && active);
    return {
      ...facts,
      at: now,
      operable: true,
      oemJobs: new Set(),
      teams,
      members: known,
      operators: operators.map((one) => ({
        ...one,
        attendance: { ...one.attendance, isOperator: isOperator(one.id) },
      })),
    };
  });

const tokens: fc.Arbitrary<AskedToken[]> = fc
  .array(
    fc.record({
      jobTicketId: fc.constantFrom(...jobIds),
      siteId: fc.constantFrom('here', 'here', 'there'),
      qty: fc.constant(1),
      excluded: ids(operatorIds),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((some) => some.map((one, index) => ({ ...one, id: String(index) })));

/**
 * Reads the rules again in the plainest way and knows nothing of the resolver: it looks whether somebody may have the work,
 * one condition after the other, and counts what the earlier tokens of the batch have given them.
 */
class NaiveChecker {
  readonly given = new Map<string, number>();

  constructor(private readonly floor: Snapshot) {}

  /** Whether somebody is at work now, as a member of the team. */
  isThere(operatorId: string, known: KnownTeam): boolean {
    const who = this.floor.operators.find(({ id }) => id === operatorId);
    if (!who?.attendance.isOperator) return false;
    const { leaves, override, outside, roster } = who.attendance;
    for (const { from, until } of leaves) if (now >= from && (until === null || now < until)) return false;
    if (!this.floor.enforced) return true;
    if (override?.isAvailable === false && (override.until === null || override.until > now)) return false;
    for (const rows of [outside.filter(({ freshness }) => freshness !== 'EXPIRED'), roster]) {
      for (const wanted of [known.local.shift, 'full']) {
        const row = rows.find((one) => one.day === known.local.day && one.shift === wanted);
        if (row) return row.status === 'work' || row.status === 'overtime';
      }
    }
    return true;
  }

  hasSkills(operatorId: string, date: string): boolean {
    const skills = this.floor.operators.find(({ id }) => id === operatorId)?.skills ?? [];
    return this.floor.node.requiredSkills.every(
      ({ required, skillCode, minLevel }) =>
        !required ||
        skills.some(
          (one) =>
            one.code === skillCode &&
            one.level >= minLevel &&
            (one.from ?? '') <= date &&
            date <= (one.until ?? '9999-12-31'),
        ),
    );
  }

  mayTakeNode(known: KnownTeam): boolean {
    const { node } = this.floor;
    const listed = node.allowedTeamIds.length === 0 || node.allowedTeamIds.includes(known.id);
    const mode =
      known.productionMode === 'hybrid' ||
      node.productionMode === 'hybrid' ||
      known.productionMode === node.productionMode;
    return known.active && listed && !node.forbiddenTeamIds.includes(known.id) && mode;
  }

  membersThere(known: KnownTeam): KnownMember[] {
    if (!known.active || (known.closed && this.floor.enforced)) return [];
    return this.floor.members.filter(
      (one) => one.teamId === known.id && one.active && this.isThere(one.operatorId, known),
    );
  }

  fit(members: readonly KnownMember[]): KnownMember[] {
    return members.filter(
      ({ operatorId, role }) =>
        (role !== 'trainee' || this.floor.node.allowTrainee) && this.hasSkills(operatorId, today),
    );
  }

  teamOf(id: string): KnownTeam | undefined {
    return this.floor.teams.find((one) => one.id === id);
  }

  /** Who may get the token by the rule; `wait` when it is to wait for them, `rejected` when they have said no. */
  byRule(
    { mode, assigneeType, assigneeId, whenAway }: Pick<Rule, 'mode' | 'assigneeType' | 'assigneeId' | 'whenAway'>,
    token: AskedToken,
  ) {
    const nobody = whenAway === 'WAIT' ? 'wait' : [];
    const free = (people: readonly string[]) => people.filter((id) => !token.excluded.includes(id));
    if (assigneeType === 'team') {
      const known = this.teamOf(assigneeId);
      if (!known || (mode === 'PLAN' && !this.mayTakeNode(known))) return [];
      const present = this.membersThere(known);
      if (present.length === 0) return nobody;
      const fit = this.fit(present).map(({ operatorId }) => operatorId);
      if (mode === 'PLAN' && fit.length === 0) return [];
      const all = present.map(({ operatorId }) => operatorId);
      const left = mode === 'PIN' && free(fit).length === 0 ? free(all) : free(fit);
      return left.length > 0 ? left : 'rejected';
    }
    const teams = this.floor.members
      .filter((one) => one.operatorId === assigneeId && one.active)
      .flatMap((one) => this.teamOf(one.teamId) ?? []);
    if (teams.length === 0) return nobody;
    if (mode === 'PLAN' && !teams.some((one) => this.mayTakeNode(one))) return [];
    // By the clock of a team that does such work, and of one that is where the work is.
    const doing = teams.some((one) => this.mayTakeNode(one)) ? teams.filter((one) => this.mayTakeNode(one)) : teams;
    const place = doing.find(({ siteId }) => siteId === token.siteId) ?? doing[0];
    if (!place || !this.isThere(assigneeId, place)) return nobody;
    if (token.excluded.includes(assigneeId)) return 'rejected';
    return mode === 'PIN' || this.hasSkills(assigneeId, today) ? [assigneeId] : [];
  }

  /** Who may get it when nobody decided anything. */
  byChoice(token: AskedToken): string[] {
    const { node, generalFallback } = this.floor;
    const of = (category: string | null) =>
      this.floor.teams.filter(
        (one) => one.siteId === token.siteId && one.category === category && this.mayTakeNode(one),
      );
    const own = of(node.teamCategory);
    const teams = own.length === 0 && generalFallback ? of('general') : own;
    return teams
      .flatMap((one) => this.fit(this.membersThere(one)))
      .filter(({ operatorId, capacityPerDay, today: had }) => had + (this.given.get(operatorId) ?? 0) < capacityPerDay)
      .map(({ operatorId }) => operatorId)
      .filter((id) => !token.excluded.includes(id));
  }

  /** All of whom one must have got it, and by which tier; null when nobody may. */
  allowed(token: AskedToken): { tier: string; people: string[] } | null {
    const about = this.floor.rules.filter(
      (one) => (one.tokenId ?? token.id) === token.id && (one.jobTicketId ?? token.jobTicketId) === token.jobTicketId,
    );
    for (const mode of ['PIN', 'PLAN']) {
      for (const scope of ['token', 'job_node', 'node', 'job']) {
        const alike = about.filter((one) => one.mode === mode && one.scope === scope);
        alike.sort((one, other) => one.priority - other.priority || (one.id < other.id ? -1 : 1));
        for (const one of alike) {
          const found = this.byRule(one, token);
          if (found === 'wait' || (found === 'rejected' && mode === 'PIN')) return null;
          if (found !== 'rejected' && found.length > 0) return { tier: scope, people: found };
        }
      }
    }
    if (this.floor.node.assignmentPolicy === 'PLANNED_ONLY') return null;
    const { preferredTeamId } = this.floor.node;
    const preferred =
      preferredTeamId === null
        ? []
        : this.byRule({ mode: 'PLAN', assigneeType: 'team', assigneeId: preferredTeamId, whenAway: 'NEXT' }, token);
    if (Array.isArray(preferred) && preferred.length > 0) return { tier: 'node_default', people: preferred };
    const people = this.byChoice(token);
    return people.length > 0 ? { tier: 'auto', people } : null;
  }

  /** Counted as everybody counts: what is open, and what the batch has added. */
  loadOf(operatorId: string): number {
    const open = this.floor.operators.find(({ id }) => id === operatorId)?.work.open ?? 0;
    return open + (this.given.get(operatorId) ?? 0);
  }

  give(operatorId: string): void {
    this.given.set(operatorId, (this.given.get(operatorId) ?? 0) + 1);
  }
}

describe('whoever gets a token', () => {
  it('may have had it at that instant, by the first rule that gives it to anybody, and somebody gets it if anybody may', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(snapshot, tokens, (floor, asked) => {
        const checker = new NaiveChecker(floor);
        const { resolutions } = resolve(floor, asked, { limit: null, shadow: false });
        for (const [index, resolution] of resolutions.entries()) {
          const token = asked[index];
          if (!token) throw new Error('There is a decision for each token');
          const tier = check(checker, floor, token, resolution);
          seen.set(tier, (seen.get(tier) ?? 0) + 1);
        }
      }),
      { numRuns: 10_000 },
    );
    // What is never reached proves nothing.
    for (const tier of ['token', 'job_node', 'node', 'job', 'node_default', 'auto', 'nobody']) {
      expect([tier, (seen.get(tier) ?? 0) > 100]).toEqual([tier, true]);
    }
  });

  it('is the same whatever order people, teams and rules are listed in', () => {
    fc.assert(
      fc.property(snapshot, tokens, (floor, asked) => {
        const turned: Snapshot = {
          ...floor,
          teams: floor.teams.toReversed(),
          members: floor.members.toReversed(),
          operators: floor.operators.toReversed(),
          rules: floor.rules.toReversed(),
        };
        const conditions = { limit: null, shadow: false };
        const who = (one: Resolution) => ('assignee' in one ? one.assignee : one.decision);
        expect(resolve(turned, asked, conditions).resolutions.map(who)).toEqual(
          resolve(floor, asked, conditions).resolutions.map(who),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

function check(checker: NaiveChecker, floor: Snapshot, token: AskedToken, resolution: Resolution): string {
  const allowed = checker.allowed(token);
  if (resolution.decision !== 'ASSIGNED') {
    expect(allowed).toBeNull();
    return 'nobody';
  }
  const { assignee, trace } = resolution;
  expect(resolution.tier).toBe(allowed?.tier);
  const again = replayed(JSON.parse(JSON.stringify({ ...trace, candidates: trace.candidates.toReversed() })));
  if (assignee.operatorId === null) {
    const pulling = floor.node.assignmentPolicy === 'TEAM_PULL' || checker.teamOf(assignee.teamId ?? '')?.pull === true;
    const members = floor.members
      .filter(({ teamId }) => teamId === assignee.teamId)
      .map(({ operatorId }) => operatorId);
    expect(pulling && allowed?.people.some((id) => members.includes(id))).toBe(true);
    expect(again?.teamId).toBe(assignee.teamId);
    return resolution.tier ?? '';
  }
  expect(allowed?.people).toContain(assignee.operatorId);
  expect(again?.operatorId).toBe(assignee.operatorId);
  const counted = floor.teams.every(({ loadMode, pull }) => loadMode === 'count' && !pull);
  if (counted && floor.node.assignmentPolicy !== 'TEAM_PULL') {
    const least = Math.min(...(allowed?.people ?? []).map((id) => checker.loadOf(id)));
    expect(checker.loadOf(assignee.operatorId)).toBe(least);
  }
  checker.give(assignee.operatorId);
  return resolution.tier ?? '';
}
