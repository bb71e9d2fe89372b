import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import fc from 'fast-check';
import { EMERGENCY_ROLLBACK, PLATFORM_WRITES, type Domain } from '@belay/platform';
import { z } from 'zod';
import { errorsOf, lint } from './linter.rules.js';
import type { PlanStep, PlanTarget } from './plan.contract.js';
import * as reserved from './reserved-flag.rules.js';
import { wordOf, type ActionFacts } from './plan-step.rules.js';

@Module({})
class EmptyModule {}

const domain = (name: string, after: string[] = [], keptBy: string[] = []): Domain => ({
  name,
  title: name,
  flag: `enable_${name}`,
  keptBy,
  after,
  features: keptBy.map((flag) => ({ flag, title: flag })),
  module: EmptyModule,
});

/** Boxes stand on shelves, labels on boxes. */
const domains: readonly Domain[] = [
  { name: 'core', title: 'Core', after: [], features: [], module: EmptyModule },
  domain('shelf', ['core'], ['shelf_preview']),
  domain('box', ['shelf']),
  domain('label', ['box']),
  { ...domain('rollback'), survivesEmergency: true },
];

const facts = (name: string, given: Partial<ActionFacts> = {}): ActionFacts => ({
  name,
  version: 1,
  input: z.record(z.string(), z.json()),
  destructive: false,
  effect: true,
  timeoutS: 10,
  emergency: 'may',
  ...given,
});
const changing = { destructive: true, emergency: 'never' } as const;

const all: readonly ActionFacts[] = [
  facts('flag.off', { input: z.strictObject({ flag: z.string() }), emergency: 'must' }),
  facts('flag.lift'),
  facts('jobs.stop', { emergency: 'must' }),
  facts('jobs.start'),
  facts('marker.create'),
  facts('backup.create'),
  facts('backup.verify', { effect: false }),
  facts('migration.down', changing),
  facts('migration.up', changing),
  facts('rows.restore', changing),
  facts('domain.restore', { destructive: true, emergency: 'E4' }),
  facts('database.restore', { destructive: true, emergency: 'E4' }),
  facts('purge', changing),
  facts('contract.downgrade'),
  facts('frontend.switch'),
  facts('verify.domain', { effect: false, emergency: 'must' }),
  facts('verify.flags', { effect: false, emergency: 'must' }),
  facts('verify.all', { effect: false, emergency: 'must' }),
];

type Written = readonly [action: string, input?: PlanStep['input'], more?: Partial<PlanStep>];

function steps(written: readonly Written[]): PlanStep[] {
  return written.map(([action, input = {}, more = {}], place) => ({
    key: `${place}`,
    action,
    version: 1,
    domain: typeof input['domain'] === 'string' ? input['domain'] : null,
    input,
    after: place === 0 ? [] : [`${place - 1}`],
    destructive: all.find(({ name }) => name === action)?.destructive ?? false,
    timeoutS: 1,
    onFail: 'hold',
    undo: '',
    ...more,
  }));
}

const approve = { permission: 'rollback:approve' };
const moduleTarget: PlanTarget = { kind: 'module', domain: 'shelf', depth: 'parked' };

function rules(written: readonly Written[], plan: Partial<Parameters<typeof lint>[0]> = {}): string[] {
  const doc = {
    target: moduleTarget,
    approvals: [approve],
    budgetS: 1_000,
    backup: null,
    steps: steps(written),
    ...plan,
  };
  return errorsOf(lint(doc, { domains, catalogue: { all } })).map(({ rule }) => rule);
}

const off = (flag: string): Written => ['flag.off', { flag }];
const stop = (name: string): Written => ['jobs.stop', { domain: name }];
const down = (name: string): Written => ['migration.down', { domain: name }];
const offAll = ['enable_label', 'enable_box', 'enable_shelf', 'shelf_preview'].map(off);
const stopAll = ['label', 'box', 'shelf'].map(stop);
const kept: Written[] = [
  ['backup.create', { domains: ['shelf', 'box', 'label'] }],
  ['backup.verify', { level: 2 }],
];
const look: Written = ['verify.all'];
const downAll = ['label', 'box', 'shelf'].map(down);
const sound = [...offAll, ...stopAll, ...kept, ...downAll, look];
const without = (action: string, value: string) =>
  sound.filter(([name, input = {}]) => name !== action || !Object.values(input).includes(value));

describe('the linter', () => {
  it('lets a feature go with its own flag and the jobs of its domain off, and with nothing less', () => {
    const feature = (flag: string): Written => ['migration.down', { domain: 'shelf', feature: flag }];
    const going = [off('shelf_preview'), stop('shelf'), ...kept, feature('shelf_preview'), look];
    expect(rules(going)).toEqual([]);
    expect(rules(going.toSpliced(0, 1))).toEqual(['flags-first']);
    expect(rules(going.toSpliced(1, 1))).toEqual(['jobs-first']);
    expect(rules(going.toSpliced(2, 2))).toEqual(['backup-first']);
    // A name that is no feature of the domain opens no door.
    const strange = rules(going.toSpliced(4, 1, feature('box_preview')));
    expect(new Set(strange)).toEqual(new Set(['flags-first', 'jobs-first']));
  });

  it('knows the names that the overlay keeps for itself', () => {
    expect({ ...reserved }).toEqual({ EMERGENCY_ROLLBACK, PLATFORM_WRITES });
  });

  it('lets a plan through that obeys every rule', () => {
    expect(rules(sound)).toEqual([]);
  });

  it('refuses a schema step while a flag of the domain, or of one that depends on it, is not off', () => {
    for (const flag of ['enable_shelf', 'shelf_preview', 'enable_box', 'enable_label']) {
      expect(new Set(rules(without('flag.off', flag)))).toEqual(new Set(['flags-first']));
    }
  });

  it('refuses a schema step after the flag was lifted again', () => {
    const lifted: Written[] = [...offAll, ['flag.lift', { flag: 'enable_box' }], ...sound.slice(offAll.length)];
    const undo: PlanTarget = { kind: 'undo', runId: '01890000-0000-7000-8000-000000000000' };
    expect(new Set(rules(lifted, { target: undo }))).toEqual(new Set(['flags-first']));
    expect(rules(lifted)).toContain('lifts');
  });

  it('refuses a schema step while jobs of the domain, or of one that depends on it, run', () => {
    for (const name of ['shelf', 'box', 'label']) {
      expect(new Set(rules(without('jobs.stop', name)))).toEqual(new Set(['jobs-first']));
    }
  });

  it('refuses rows to be restored while the module is there, unless all writes are stopped', () => {
    const restore: Written = ['rows.restore', { domain: 'label' }];
    const backed: Written[] = [
      ['backup.create', { domains: ['label'] }],
      ['backup.verify', { level: 2 }],
    ];
    expect(rules([...backed, restore, look])).toEqual(['flags-first', 'jobs-first']);
    expect(rules([off('platform_writes'), ...backed, restore, look])).toEqual([]);
  });

  it('refuses a destructive step without a backup of its domain before it, or one that was not brought far enough', () => {
    const unkept = sound.filter(([action]) => action !== 'backup.create');
    expect(rules(unkept)).toEqual(['backup-first', 'backup-first', 'backup-first']);
    const other = sound.map((step): Written =>
      step[0] === 'backup.create' ? [step[0], { domains: ['shelf'] }] : step,
    );
    expect(rules(other)).toEqual(['backup-first', 'backup-first']);
    const level = (at: number) =>
      sound.map((step): Written => (step[0] === 'backup.verify' ? [step[0], { level: at }] : step));
    expect(rules(level(1))).toEqual(['backup-first', 'backup-first', 'backup-first']);
    expect(rules(level(3), { backup: { scope: ['shelf'], level: 4 } })).toHaveLength(3);
    expect(rules(level(4), { backup: { scope: ['shelf'], level: 4 } })).toEqual([]);
    const late = [...offAll, ...stopAll, ...downAll, ...kept, look];
    expect(rules(late)).toEqual(['backup-first', 'backup-first', 'backup-first']);
  });

  it('takes a proof only for the backup that was made last before it', () => {
    const other: Written = ['backup.create', { domains: ['core'] }];
    const [create, verify] = kept;
    if (!create || !verify) throw new Error('two steps keep it');
    expect(rules([...offAll, ...stopAll, create, other, verify, down('label'), look])).toEqual(['backup-first']);
    expect(rules([...offAll, ...stopAll, other, create, verify, down('label'), look])).toEqual([]);
    const elsewhere: Written = ['backup.verify', { level: 4, backupId: 'another' }];
    expect(rules([...offAll, ...stopAll, create, elsewhere, down('label'), look])).toEqual(['backup-first']);
  });

  it('refuses a domain to be replaced from no backup', () => {
    const approvals = [approve, { permission: 'rollback:restore' }];
    const restore = (input: PlanStep['input']): Written[] => [
      ...offAll,
      ...stopAll,
      ['domain.restore', { domain: 'shelf', ...input }],
      look,
    ];
    expect(rules(restore({}), { approvals })).toEqual(['backup-first']);
    expect(rules(restore({ backupId: 'b' }), { approvals })).toEqual([]);
    expect(rules([['database.restore', {}], look], { approvals })).toEqual(['backup-first']);
    expect(rules([['database.restore', { backupId: 'b' }], look], { approvals })).toEqual([]);
  });

  it('refuses an effect that nothing looks at afterwards', () => {
    expect(new Set(rules(sound.slice(0, -1)))).toEqual(new Set(['verify-after']));
    expect(rules([off('enable_label')])).toEqual(['verify-after']);
    expect(rules([off('enable_label'), ['verify.flags']])).toEqual([]);
    expect(rules([stop('label'), ['verify.flags']])).toEqual(['verify-after']);
    expect(rules([stop('label'), ['verify.domain', { domain: 'label' }]])).toEqual([]);
    expect(rules([stop('label'), ['verify.domain', { domain: 'box' }]])).toEqual(['verify-after']);
    expect(rules([look, stop('label')])).toEqual(['verify-after']);
  });

  it('refuses a domain to go before one that depends on it, and to come back after it', () => {
    const wrong = [...offAll, ...stopAll, ...kept, down('box'), down('label'), down('shelf'), look];
    expect(rules(wrong)).toEqual(['order']);
    const up = (...names: string[]): Written[] => names.map((name) => ['migration.up', { domain: name }]);
    expect(rules([...offAll, ...stopAll, ...up('shelf', 'box', 'label'), look])).toEqual([]);
    expect(rules([...offAll, ...stopAll, ...up('label', 'shelf'), look])).toEqual(['order']);
  });

  it('refuses actions and versions that this build does not have, and inputs they cannot take', () => {
    expect(rules([['sql.run', { sql: 'DROP TABLE shelf.board' }], look])).toEqual(['unknown-action']);
    expect(rules([['jobs.stop', { domain: 'label' }, { version: 2 }], look])).toEqual(['unknown-action']);
    expect(rules([['flag.off', { flag: 'enable_label', off: false }], look])).toEqual(['bad-input']);
  });

  it('refuses a step that says it is harmless, or that names another domain than it acts on', () => {
    const hidden = sound.map(([action, input = {}]): Written => [action, input, { destructive: false }]);
    expect(new Set(rules(hidden))).toEqual(new Set(['says-harmless']));
    expect(rules([['jobs.stop', { domain: 'label' }, { domain: 'box' }], look])).toEqual(['wrong-domain']);
  });

  it('refuses the frontend before contracts and infrastructure in an emergency, and what is no emergency step', () => {
    const target: PlanTarget = { kind: 'emergency', level: 'E2' };
    expect(rules([['contract.downgrade'], ['frontend.switch'], look], { target })).toEqual([]);
    expect(rules([['frontend.switch'], ['contract.downgrade'], look], { target })).toEqual(['frontend-last']);
    expect(rules(sound, { target }).filter((rule) => rule === 'not-in-emergency')).toHaveLength(3);
    const restore: Written[] = [...offAll, ...stopAll, ['domain.restore', { domain: 'shelf', backupId: 'b' }], look];
    expect(rules(restore, { target })).toContain('not-in-emergency');
    const e4 = { target: { kind: 'emergency', level: 'E4' } as const, approvals: [{ permission: 'rollback:restore' }] };
    expect(rules(restore, e4)).toEqual([]);
  });

  it('refuses more than 200 steps, none, two of one key, and what comes before its prerequisite', () => {
    const many = (count: number): Written[] => [...Array.from({ length: count - 1 }, () => stop('label')), look];
    expect(rules(many(200))).toEqual([]);
    expect(rules(many(201))).toEqual(['too-many-steps']);
    expect(rules([])).toEqual(['no-steps']);
    expect(rules([['jobs.stop', { domain: 'label' }, { key: '1' }], look])).toEqual(['key-twice', 'prerequisite']);
    expect(rules([['jobs.stop', { domain: 'label' }, { after: ['1'] }], look])).toEqual(['prerequisite']);
  });

  it('refuses a plan that asks too few people', () => {
    expect(rules(sound, { approvals: [] })).toEqual(['approvals']);
    expect(rules([stop('label'), look], { approvals: [] })).toEqual([]);
    const purging: Written[] = [
      ...offAll,
      ...stopAll,
      ['backup.create', { domains: ['shelf'] }],
      ['backup.verify', { level: 4 }],
      ['purge', { domain: 'shelf' }],
      look,
    ];
    const target: PlanTarget = { kind: 'purge', domain: 'shelf', confirm: 'shelf' };
    expect(rules(purging, { target })).toEqual(['approvals']);
    expect(rules(purging, { target, approvals: [approve, { permission: 'rollback:purge' }] })).toEqual([]);
  });

  it('refuses whatever drops in a plan that is not for purging', () => {
    const purging: Written[] = [...offAll, ...stopAll, ...kept, ['purge', { domain: 'shelf' }], look];
    const approvals = [approve, { permission: 'rollback:purge' }];
    expect(rules(purging, { approvals })).toEqual(['backup-first', 'purge-alone']);
  });

  it('warns when the time limits sum up to more than the budget', () => {
    const plan = { target: moduleTarget, approvals: [approve], backup: null, steps: steps(sound) };
    const warnings = (budgetS: number) => lint({ ...plan, budgetS }, { domains, catalogue: { all } });
    expect(warnings(sound.length)).toEqual([]);
    expect(warnings(sound.length - 1)).toEqual([expect.objectContaining({ rule: 'over-budget', severity: 'warning' })]);
  });
});

/** The same rules told as a story: what is off, stopped and kept as the steps go by. Nothing of the linter is used. */
function breaks(written: readonly PlanStep[]): boolean {
  const family: Readonly<Record<string, readonly string[]>> = {
    shelf: ['shelf', 'box', 'label'],
    box: ['box', 'label'],
    label: ['label'],
  };
  const gates: Readonly<Record<string, readonly string[]>> = {
    shelf: ['enable_shelf', 'shelf_preview'],
    box: ['enable_box'],
    label: ['enable_label'],
  };
  const isOff = new Set<string>();
  const stopped = new Set<string>();
  const keptAt = new Map<string, number>();
  const moved: string[] = [];
  let newest: readonly string[] = [];
  let unseen = new Set<string>();
  for (const { action, input, domain } of written) {
    const name = domain ?? '';
    const flag = wordOf(input, 'flag');
    const needs = (level: number) => (keptAt.get(name) ?? 0) < level;
    const used = (family[name] ?? []).some(
      (one) => (gates[one] ?? []).some((gate) => !isOff.has(gate)) || !stopped.has(one),
    );
    const touches = ['migration.down', 'migration.up', 'rows.restore', 'domain.restore', 'purge'].includes(action);
    if (touches && used && !isOff.has('platform_writes')) return true;
    if (action === 'migration.down' || action === 'rows.restore') if (needs(2)) return true;
    if (action === 'purge') return true;
    if (action.endsWith('.restore') && action !== 'rows.restore' && input['backupId'] === undefined) return true;
    if (action === 'migration.down' || action === 'flag.off' || action === 'migration.up' || action === 'flag.lift') {
      const away = action === 'migration.down' || action === 'flag.off';
      for (const earlier of moved) {
        const [what, who = ''] = earlier.split(' ');
        if (what !== action || who === name || who === '' || name === '') continue;
        if (away && family[who]?.includes(name)) return true;
        if (!away && family[name]?.includes(who)) return true;
      }
      moved.push(`${action} ${name}`);
    }
    if (action === 'flag.lift' && flag !== 'platform_writes') return true;
    if (action === 'flag.off') isOff.add(flag);
    if (action === 'flag.lift') isOff.delete(flag);
    if (action === 'jobs.stop') stopped.add(name);
    if (action === 'jobs.start') stopped.delete(name);
    if (action === 'backup.create') {
      newest = z.array(z.string()).parse(input['domains']);
      for (const one of newest) keptAt.set(one, 0);
    }
    if (action === 'backup.verify')
      for (const one of newest) keptAt.set(one, Math.max(keptAt.get(one) ?? 0, Number(input['level'])));
    if (action === 'verify.all') unseen = new Set();
    else if (action === 'verify.domain') unseen.delete(name);
    else if (action !== 'backup.verify') unseen.add(domain ?? 'everything');
  }
  return unseen.size > 0;
}

describe('Feature: version-rollback, Property 14', () => {
  const names = fc.constantFrom('shelf', 'box', 'label');
  const flags = fc.constantFrom('enable_shelf', 'shelf_preview', 'enable_box', 'enable_label', 'platform_writes');
  const owner: Readonly<Record<string, string>> = {
    enable_shelf: 'shelf',
    shelf_preview: 'shelf',
    enable_box: 'box',
    enable_label: 'label',
  };
  const flagStep = (action: string) =>
    flags.map((flag): Written => [action, { flag }, { domain: owner[flag] ?? null }]);
  const onDomain = (action: string) => names.map((name): Written => [action, { domain: name }]);
  const anyStep: fc.Arbitrary<Written> = fc.oneof(
    { weight: 4, arbitrary: flagStep('flag.off') },
    { weight: 1, arbitrary: flagStep('flag.lift') },
    { weight: 3, arbitrary: onDomain('jobs.stop') },
    { weight: 1, arbitrary: onDomain('jobs.start') },
    { weight: 2, arbitrary: onDomain('migration.down') },
    { weight: 1, arbitrary: onDomain('migration.up') },
    { weight: 1, arbitrary: onDomain('rows.restore') },
    { weight: 1, arbitrary: onDomain('domain.restore') },
    { weight: 1, arbitrary: names.map((name): Written => ['domain.restore', { domain: name, backupId: 'b' }]) },
    { weight: 1, arbitrary: onDomain('purge') },
    {
      weight: 2,
      arbitrary: fc
        .uniqueArray(names, { minLength: 1 })
        .map((domainNames): Written => ['backup.create', { domains: domainNames }]),
    },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }).map((level): Written => ['backup.verify', { level }]) },
    { weight: 1, arbitrary: fc.constant<Written>(['verify.all']) },
    { weight: 1, arbitrary: onDomain('verify.domain') },
  );
  const owned = sound.map(([action, input = {}]): Written => {
    const flag = input['flag'];
    return typeof flag === 'string' ? [action, input, { domain: owner[flag] ?? null }] : [action, input];
  });
  /** Plans that are nearly sound: a few steps of one are left out, doubled, moved, or put in. */
  const nearlySound = fc
    .array(
      fc.record({
        at: fc.nat({ max: owned.length }),
        to: fc.nat({ max: owned.length }),
        what: fc.constantFrom('remove', 'move', 'insert'),
        step: anyStep,
      }),
      { maxLength: 4 },
    )
    .map((changes) => {
      const written = [...owned];
      for (const { at, to, what, step } of changes) {
        const [taken] = what === 'insert' ? [step] : written.splice(at % Math.max(written.length, 1), 1);
        if (taken && what !== 'remove') written.splice(to, 0, taken);
      }
      return written;
    });
  const plans = fc.oneof(fc.array(anyStep, { minLength: 1, maxLength: 16 }), nearlySound);
  const approvals = [approve, { permission: 'rollback:restore' }, { permission: 'rollback:purge' }];

  it('no plan that the linter accepts breaks the rules of planning, and it refuses none that keeps them', () => {
    let accepted = 0;
    fc.assert(
      fc.property(plans, (written) => {
        const errors = rules(written, { approvals });
        if (errors.length === 0) accepted += 1;
        expect({ written, errors, refused: errors.length > 0 }).toMatchObject({ refused: breaks(steps(written)) });
      }),
      { numRuns: 5_000 },
    );
    // Neither side of the property is empty.
    expect(accepted).toBeGreaterThan(200);
    expect(accepted).toBeLessThan(4_800);
  });
});
