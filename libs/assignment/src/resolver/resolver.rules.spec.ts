import { describe, expect, it } from '@jest/globals';
import type { Work } from './load.rules.js';
import type { Rule, RuleScope } from './precedence.rules.js';
import { replayed } from './replay.rules.js';
import { resolve, type Conditions, type Resolution } from './resolver.rules.js';
import type { AskedToken, KnownNode, KnownTeam, Snapshot } from './snapshot.rules.js';
import { floor, idle, now, sewing, team, type Person } from './snapshot.samples.js';

const rule = (mode: Rule['mode'], scope: RuleScope, assigneeId: string, facts: Partial<Rule> = {}): Rule => ({
  id: `${mode} ${scope} ${assigneeId}`,
  mode,
  scope,
  tokenId: scope === 'token' ? '1' : null,
  jobTicketId: scope === 'job' || scope === 'job_node' ? 'job' : null,
  nodeCode: scope === 'job' ? null : 'SEW',
  assigneeType: assigneeId.length > 1 ? 'team' : 'operator',
  assigneeId,
  priority: 100,
  whenAway: mode === 'PIN' ? 'WAIT' : 'NEXT',
  ...facts,
});

const token = (id: string, excluded: string[] = []): AskedToken => ({
  id,
  jobTicketId: 'job',
  siteId: 'site',
  qty: 1,
  excluded,
});
const tokens = (count: number) => Array.from({ length: count }, (_, index) => token(String(index + 1)));
const free: Conditions = { limit: null, shadow: false };

function decide(snapshot: Snapshot, conditions = free, asked = token('1')): Resolution {
  const [resolution] = resolve(snapshot, [asked], conditions).resolutions;
  if (!resolution) throw new Error('One token has one decision');
  return resolution;
}

/** Who got each token, a team in the place of whoever will claim it. */
function given(snapshot: Snapshot, asked: readonly AskedToken[]): (string | null)[] {
  return resolve(snapshot, asked, free).resolutions.map((one) =>
    one.decision === 'ASSIGNED' ? (one.assignee.operatorId ?? one.assignee.teamId) : null,
  );
}

const loads = (ids: readonly (string | null)[], before: Readonly<Record<string, number>>) =>
  Object.entries(before).map(([id, load]) => load + ids.filter((one) => one === id).length);
const outcomes = ({ trace }: Resolution) =>
  trace.steps.map(({ tier, outcome, target }) => [tier, outcome, target?.id ?? null]);
const withSkill = (level: number, until: string | null = null): Person => ({
  skills: [{ code: 'LOCK', level, from: null, until }],
});
const needsSkill: KnownNode = { ...sewing, requiredSkills: [{ skillCode: 'LOCK', minLevel: 3, required: true }] };

describe('what people decided', () => {
  const both = { aa: { a: {}, b: {} }, bb: { c: {}, d: {} } };

  it.each([
    ['PIN', 'token', 'PIN_TOKEN'],
    ['PIN', 'job_node', 'PIN_JOB_NODE'],
    ['PIN', 'node', 'PIN_NODE'],
    ['PIN', 'job', 'PIN_JOB'],
    ['PLAN', 'job_node', 'PLAN_JOB_NODE'],
    ['PLAN', 'node', 'PLAN_NODE'],
    ['PLAN', 'job', 'PLAN_JOB'],
  ] as const)('by %s of a %s comes before the automatic choice', (mode, scope, reasonCode) => {
    expect(decide(floor(both, { rules: [rule(mode, scope, 'd')] }))).toMatchObject({
      decision: 'ASSIGNED',
      method: mode,
      tier: scope,
      reasonCode,
      planRef: `${mode} ${scope} d`,
      assignee: { type: 'operator', operatorId: 'd', teamId: 'bb' },
    });
  });

  it('is a team: whoever of it is loaded least', () => {
    const snapshot = floor(
      { aa: { a: { open: 2 }, b: { open: 1 } }, bb: { c: {} } },
      { rules: [rule('PLAN', 'job', 'aa')] },
    );
    expect(decide(snapshot)).toMatchObject({
      assignee: { type: 'team', teamId: 'aa', operatorId: 'b' },
      reasonCode: 'PLAN_JOB',
    });
  });

  it('waits for a pinned operator who is away, and goes by the next rule when the pin says so', () => {
    const people = { aa: { a: { leave: now + 1 }, b: {} } };
    expect(decide(floor(people, { rules: [rule('PIN', 'token', 'a')] }))).toMatchObject({
      decision: 'QUEUED',
      method: 'PIN',
      tier: 'token',
      queueReason: 'OPERATOR_UNAVAILABLE',
      reasonCode: 'PIN_TOKEN',
    });
    expect(decide(floor(people, { rules: [rule('PIN', 'token', 'a', { whenAway: 'NEXT' })] }))).toMatchObject({
      method: 'AUTO',
      assignee: { operatorId: 'b' },
    });
    expect(decide(floor({ aa: { a: { leave: now }, b: {} } }, { rules: [rule('PIN', 'token', 'a')] }))).toMatchObject({
      assignee: { operatorId: 'a' },
    });
  });

  it('waits for a pinned team of which nobody is there', () => {
    const snapshot = floor({ aa: { a: { off: true } }, bb: { b: {} } }, { rules: [rule('PIN', 'job', 'aa')] });
    expect(decide(snapshot)).toMatchObject({
      decision: 'QUEUED',
      queueReason: 'TEAM_UNAVAILABLE',
      reasonCode: 'PIN_JOB',
    });
  });

  it('the more specific first, whatever its priority; when all of that are away, the next', () => {
    const rules = [rule('PLAN', 'job_node', 'aa', { priority: 90 }), rule('PLAN', 'node', 'c', { priority: 1 })];
    expect(decide(floor(both, { rules }))).toMatchObject({ reasonCode: 'PLAN_JOB_NODE', assignee: { teamId: 'aa' } });
    const away = decide(floor({ aa: { a: { off: true }, b: { leave: now + 1 } }, bb: { c: {} } }, { rules }));
    expect(away).toMatchObject({ reasonCode: 'PLAN_NODE', assignee: { operatorId: 'c' } });
    expect(outcomes(away)).toEqual([
      ['job_node', 'plan_all_unavailable', 'aa'],
      ['node', 'chosen', 'c'],
    ]);
  });

  it('for the node comes before what was for the whole job', () => {
    const rules = [rule('PLAN', 'job', 'a'), rule('PLAN', 'node', 'bb')];
    expect(decide(floor(both, { rules }))).toMatchObject({ reasonCode: 'PLAN_NODE', assignee: { teamId: 'bb' } });
  });

  it.each([
    ['team_forbidden', { ...sewing, forbiddenTeamIds: ['aa'] }, {}],
    ['team_not_allowed', { ...sewing, allowedTeamIds: ['bb'] }, {}],
    ['mode_mismatch', sewing, { productionMode: 'oem' }],
    ['team_inactive', sewing, { active: false }],
    ['no_skill', needsSkill, {}],
  ] as const)('is left out as a plan and obeyed as a pin: %s', (outcome, node, facts) => {
    const people = { aa: { a: {} }, bb: { c: withSkill(3) } };
    const teams = [team('aa', facts), team('bb')];
    for (const target of ['aa', 'a']) {
      const planned = decide(floor(people, { node, teams, rules: [rule('PLAN', 'node', target)] }));
      expect(outcomes(planned)).toEqual([
        ['node', outcome, target],
        ['auto', 'chosen', null],
      ]);
      expect(planned).toMatchObject({ assignee: { operatorId: 'c' } });
      const pinned = decide(floor(people, { node, teams, rules: [rule('PIN', 'node', target)] }));
      const nobody = outcome === 'team_inactive' && target === 'aa';
      expect(pinned).toMatchObject(nobody ? { decision: 'QUEUED' } : { assignee: { operatorId: 'a' } });
      expect(pinned.warnings).toHaveLength(nobody ? 0 : 1);
    }
  });

  it('for a team means those of it who have the skills, as long as there are any', () => {
    const people = { aa: { a: {}, b: { ...withSkill(3), open: 9 } } };
    const rules = [rule('PIN', 'job', 'aa')];
    expect(decide(floor(people, { node: needsSkill, rules }))).toMatchObject({
      assignee: { operatorId: 'b' },
      warnings: [],
    });
    expect(decide(floor({ aa: { a: {} } }, { node: needsSkill, rules }))).toMatchObject({
      assignee: { operatorId: 'a' },
      warnings: ['not_qualified'],
    });
  });

  it('is not put to the same person again who has rejected it', () => {
    const pinned = decide(floor(both, { rules: [rule('PIN', 'token', 'a')] }), free, token('1', ['a']));
    expect(pinned).toMatchObject({ decision: 'UNASSIGNED', reasonCode: 'NO_MATCH', alternatives: [] });
    const planned = decide(floor(both, { rules: [rule('PLAN', 'node', 'a')] }), free, token('1', ['a']));
    expect(planned).toMatchObject({ method: 'AUTO', assignee: { operatorId: 'b' } });
  });

  it('is all there is at a node for planned work only', () => {
    const node: KnownNode = { ...sewing, assignmentPolicy: 'PLANNED_ONLY', preferredTeamId: 'aa' };
    expect(decide(floor(both, { node }))).toMatchObject({ decision: 'UNASSIGNED', reasonCode: 'NO_PLAN' });
    expect(decide(floor(both, { node, rules: [rule('PLAN', 'node', 'b')] }))).toMatchObject({
      assignee: { operatorId: 'b' },
    });
  });

  it('waits for somebody planned when the plan says so', () => {
    const people = { aa: { a: { off: true }, b: {} } };
    const rules = [rule('PLAN', 'node', 'a', { whenAway: 'WAIT' })];
    expect(decide(floor(people, { rules }))).toMatchObject({ decision: 'QUEUED', queueReason: 'OPERATOR_UNAVAILABLE' });
  });
});

describe('a node that prefers a team', () => {
  const node: KnownNode = { ...sewing, preferredTeamId: 'bb' };

  it('gets somebody of it, before others of the category', () => {
    expect(decide(floor({ aa: { a: {} }, bb: { b: { open: 5 } } }, { node }))).toMatchObject({
      method: 'PLAN',
      tier: 'node_default',
      reasonCode: 'NODE_DEFAULT',
      assignee: { teamId: 'bb', operatorId: 'b' },
      planRef: null,
    });
  });

  it('gets somebody else when all of it are away', () => {
    const away = decide(floor({ aa: { a: {} }, bb: { b: { off: true } } }, { node }));
    expect(away).toMatchObject({ method: 'AUTO', assignee: { operatorId: 'a' } });
    expect(outcomes(away)).toEqual([
      ['node_default', 'all_unavailable', null],
      ['auto', 'chosen', null],
    ]);
  });
});

describe('the automatic choice', () => {
  it('levels loads in a batch, whatever order people come in', () => {
    const before = { a: 2, b: 0, c: 1 };
    const [a, b, c] = [{ open: 2 }, { open: 0 }, { open: 1 }];
    const orders = [
      { a, b, c },
      { a, c, b },
      { b, a, c },
      { b, c, a },
      { c, a, b },
      { c, b, a },
    ];
    const got = orders.map((people) => given(floor({ aa: people }), tokens(10)));
    for (const one of got) {
      const after = loads(one, before);
      expect(after.reduce((sum, load) => sum + load, 0)).toBe(13);
      expect(Math.max(...after) - Math.min(...after)).toBeLessThanOrEqual(1);
      expect(one).toEqual(got[0]);
    }
  });

  it('goes round where all are equal, and on where it stopped', () => {
    const people = { aa: { a: {}, b: {}, c: {} } };
    expect(given(floor(people), tokens(7))).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
    const { turns } = resolve(floor(people), tokens(2), free);
    expect([...turns]).toEqual([['aa', 'b']]);
    expect(given(floor(people, { teams: [team('aa', { lastOperatorId: 'b' })] }), tokens(4))).toEqual([
      'c',
      'a',
      'b',
      'c',
    ]);
    expect(given(floor(people, { teams: [team('aa', { lastOperatorId: 'c' })] }), tokens(1))).toEqual(['a']);
    expect(given(floor(people, { teams: [team('aa', { lastOperatorId: 'gone' })] }), tokens(1))).toEqual(['a']);
  });

  it('goes round in the order of the team', () => {
    expect(given(floor({ aa: { a: { sortPriority: 9 }, b: { sortPriority: 1 } } }), tokens(3))).toEqual([
      'b',
      'a',
      'b',
    ]);
  });

  it('says how many there were and who else would do', () => {
    const people = {
      aa: { a: { open: 3 }, b: { open: 5, cycleMinutes: 45 }, c: { open: 7 }, d: { open: 8 }, e: { open: 9 } },
    };
    expect(decide(floor(people))).toMatchObject({
      tier: 'auto',
      reasonCode: 'AUTO_LEAST_LOAD',
      reasonText: 'sewing; 3 open, lowest of 5',
      alternatives: [
        { operatorId: 'b', activeCount: 5, avgCycleMinutes: 45 },
        { operatorId: 'c', activeCount: 7, avgCycleMinutes: null },
        { operatorId: 'd', activeCount: 8, avgCycleMinutes: null },
      ],
    });
  });

  it.each([
    ['nobody is there', { aa: { a: { off: true }, b: { leave: now + 1 } } }, {}, 'TEAM_UNAVAILABLE', 'ALL_UNAVAILABLE'],
    [
      'the team is closed',
      { aa: { a: {} } },
      { teams: [team('aa', { closed: true })] },
      'TEAM_UNAVAILABLE',
      'ALL_UNAVAILABLE',
    ],
    ['everybody has enough', { aa: { a: { today: 3, capacityPerDay: 3 } } }, {}, 'TEAM_UNAVAILABLE', 'ALL_UNAVAILABLE'],
    [
      'nobody is skilled',
      { aa: { a: {}, b: withSkill(2), c: withSkill(5, '2025-11-19') } },
      { node: needsSkill },
      'NO_MATCH',
      'NO_SKILL',
    ],
    ['there are only trainees', { aa: { a: { role: 'trainee' } } }, {}, 'NO_MATCH', 'NO_SKILL'],
    [
      'no team is of the category',
      { aa: { a: {} } },
      { teams: [team('aa', { category: 'qc' })] },
      'NO_MATCH',
      'NO_MATCH',
    ],
    [
      'the team is elsewhere',
      { aa: { a: {} } },
      { teams: [team('aa', { siteId: 'another' })] },
      'NO_MATCH',
      'NO_MATCH',
    ],
    [
      'the team is of another mode',
      { aa: { a: {} } },
      { teams: [team('aa', { productionMode: 'oem' })] },
      'NO_MATCH',
      'MODE_MISMATCH',
    ],
    [
      'the team is forbidden',
      { aa: { a: {} } },
      { node: { ...sewing, forbiddenTeamIds: ['aa'] } },
      'NO_MATCH',
      'NO_MATCH',
    ],
    [
      'another team is allowed',
      { aa: { a: {} } },
      { node: { ...sewing, allowedTeamIds: ['bb'] } },
      'NO_MATCH',
      'NO_MATCH',
    ],
  ] satisfies [string, Parameters<typeof floor>[0], Partial<Snapshot>, string, string][])(
    'is put off when %s',
    (_, people, facts, queueReason, reasonCode) => {
      expect(decide(floor(people, facts))).toMatchObject({
        decision: 'QUEUED',
        queueReason,
        reasonCode,
        alternatives: [],
      });
    },
  );

  it.each([
    ['a skill on its last day', { aa: { a: withSkill(3, '2025-11-20') } }, { node: needsSkill }],
    ['a trainee where one may', { aa: { a: { role: 'trainee' } } }, { node: { ...sewing, allowTrainee: true } }],
    ['room for one more', { aa: { a: { today: 2, capacityPerDay: 3 } } }, {}],
    [
      'a node of both modes',
      { aa: { a: {} } },
      { node: { ...sewing, productionMode: 'hybrid' }, teams: [team('aa', { productionMode: 'oem' })] },
    ],
    [
      'a closed team while availability is not enforced',
      { aa: { a: {} } },
      { enforced: false, teams: [team('aa', { closed: true })] },
    ],
    [
      'a general team instead, where that is allowed',
      { aa: { a: {} } },
      { generalFallback: true, teams: [team('aa', { category: 'general' })] },
    ],
  ] satisfies [string, Parameters<typeof floor>[0], Partial<Snapshot>][])('takes %s', (_, people, facts) => {
    expect(decide(floor(people, facts))).toMatchObject({ decision: 'ASSIGNED', assignee: { operatorId: 'a' } });
  });

  it('stops at what somebody can do in a day', () => {
    const people = { aa: { a: { capacityPerDay: 2 }, b: { capacityPerDay: 1 } } };
    expect(given(floor(people), tokens(4))).toEqual(['a', 'b', 'a', null]);
  });

  it('leaves to people what the only one who could has rejected', () => {
    expect(decide(floor({ aa: { a: {} } }), free, token('1', ['a']))).toMatchObject({
      decision: 'UNASSIGNED',
      reasonCode: 'NO_MATCH',
    });
    expect(decide(floor({ aa: { a: {}, b: { open: 9 } } }), free, token('1', ['a']))).toMatchObject({
      assignee: { operatorId: 'b' },
    });
  });

  it('counts who is in two teams once, in the one that is better for them', () => {
    const snapshot = floor({ aa: { a: {}, b: {} }, bb: { a: {} } });
    expect(decide(snapshot).trace.candidates.map(({ operatorId }) => operatorId)).toEqual(['a', 'b']);
  });

  it('measures load as the team does', () => {
    const busy = (work: Partial<Work>): Work => ({ ...idle, ...work });
    const measured = (loadMode: KnownTeam['loadMode'], a: Partial<Work>, b: Partial<Work>) => {
      const snapshot = floor({ aa: { a: {}, b: {} } }, { teams: [team('aa', { loadMode })] });
      const operators = snapshot.operators.map((one) => ({ ...one, work: busy(one.id === 'a' ? a : b) }));
      return given({ ...snapshot, operators }, tokens(1))[0];
    };
    expect(measured('count', { open: 2 }, { open: 1, minutes: 500 })).toBe('b');
    expect(measured('minutes', { open: 2, minutes: 10 }, { open: 1, minutes: 500 })).toBe('a');
    expect(measured('weighted', { sessions: 1, lastDay: 1 }, { lastDay: 4 })).toBe('a');
    expect(measured('combined', { pieces: 1_999 }, { serials: 2 })).toBe('a');
    expect(measured('combined', { pieces: 2_001 }, { serials: 2 })).toBe('b');
  });
});

describe('a team that pulls', () => {
  it.each([
    ['by itself', {}, { teams: [team('aa', { pull: true })] }],
    ['because the node says so', {}, { node: { ...sewing, assignmentPolicy: 'TEAM_PULL' } }],
    ['also when it was planned', { rules: [rule('PLAN', 'node', 'aa')] }, { teams: [team('aa', { pull: true })] }],
  ] satisfies [string, Partial<Snapshot>, Partial<Snapshot>][])(
    'gets the work without an operator: %s',
    (_, one, other) => {
      expect(decide(floor({ aa: { a: {} } }, { ...one, ...other }))).toMatchObject({
        decision: 'ASSIGNED',
        assignee: { type: 'team', teamId: 'aa', operatorId: null },
      });
    },
  );

  it('shares with its like what nobody has claimed', () => {
    const node: KnownNode = { ...sewing, assignmentPolicy: 'TEAM_PULL' };
    const got = given(floor({ aa: { a: {}, b: {} }, bb: { c: {} } }, { node }), tokens(9));
    expect(got.filter((one) => one === 'aa')).toHaveLength(6);
  });

  it('does not get what somebody was named for', () => {
    const teams = [team('aa', { pull: true })];
    expect(decide(floor({ aa: { a: {} } }, { teams, rules: [rule('PIN', 'token', 'a')] }))).toMatchObject({
      assignee: { type: 'operator', operatorId: 'a' },
    });
  });
});

describe('a decision', () => {
  it('gives nothing while a limit is full, and says who would have got it', () => {
    const full: Conditions = { limit: 'WIP_LIMIT', shadow: false };
    const { resolutions, turns } = resolve(floor({ aa: { a: {}, b: {} } }), tokens(2), full);
    for (const resolution of resolutions) {
      expect(resolution).toMatchObject({ decision: 'QUEUED', queueReason: 'WIP_LIMIT', reasonCode: 'LIMIT' });
      expect(resolution.trace.withheld).toMatchObject({ tier: 'auto', assignee: { operatorId: 'a' } });
    }
    expect(turns.size).toBe(0);
    expect(decide(floor({ aa: { a: { off: true } } }), full)).toMatchObject({
      queueReason: 'WIP_LIMIT',
      reasonCode: 'LIMIT',
    });
    expect(decide(floor({ aa: { a: {} } }), full, token('1', ['a']))).toMatchObject({
      decision: 'QUEUED',
      queueReason: 'WIP_LIMIT',
    });
  });

  it('in a trial run only notes the automatic choice, and makes the others', () => {
    const trial: Conditions = { limit: null, shadow: true };
    const { resolutions, turns } = resolve(floor({ aa: { a: {}, b: {} } }), tokens(2), trial);
    expect(resolutions.map(({ trace }) => trace.withheld?.assignee.operatorId)).toEqual(['a', 'b']);
    expect(resolutions[0]).toMatchObject({ decision: 'UNASSIGNED', method: 'MANUAL', reasonCode: 'SHADOW' });
    expect(turns.size).toBe(0);
    expect(decide(floor({ aa: { a: {} } }, { rules: [rule('PLAN', 'node', 'a')] }), trial)).toMatchObject({
      decision: 'ASSIGNED',
    });
  });

  it('is not made where nobody works', () => {
    expect(decide(floor({ aa: { a: {} } }, { operable: false }))).toMatchObject({
      decision: 'SKIPPED',
      method: 'SKIP',
    });
  });

  it('keeps the best twenty of many candidates', () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`p${100 + index}`, { open: 60 - index }]),
    );
    const { trace } = decide(floor({ aa: many }));
    expect(trace.candidates).toHaveLength(20);
    expect(trace.candidates[0]).toMatchObject({ operatorId: 'p159', load: 1 });
    expect(trace.load).toMatchObject({ people: 60, mean: 30.5 });
  });

  it('can be made again from what was written down', () => {
    const resolutions = resolve(floor({ aa: { a: { open: 2 }, b: {}, c: { open: 1 } } }), tokens(5), free).resolutions;
    for (const resolution of resolutions) {
      const written: unknown = JSON.parse(JSON.stringify(resolution.trace));
      expect(replayed(written)?.operatorId).toBe(resolution.decision === 'ASSIGNED' && resolution.assignee.operatorId);
    }
  });
});
