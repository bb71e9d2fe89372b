import { z } from 'zod';
import type { JsonObject } from '../engine/json.js';
import type { RunState, StepState } from '../engine/state.rules.js';
import { RunInProgress } from '../rollback.problems.js';
import { goingWith } from './domain-order.rules.js';
import { isOn, schemaChange, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import { NothingToDo, NotUndoable } from './plan.problems.js';
import { newestOf, wordOf, type StepWish } from './plan-step.rules.js';
import {
  flagOff,
  jobsStart,
  jobsStop,
  marker,
  migrationDown,
  migrationUp,
  switchOff,
  verifyAll,
  verifyDomain,
} from './step-wish.rules.js';

/** A run as its journal has it. */
export interface PastRun {
  readonly id: string;
  readonly state: RunState;
  /** Of a run that has undone it already. */
  readonly undoneBy: string | null;
  readonly steps: readonly PastStep[];
}

export interface PastStep {
  readonly idx: number;
  readonly action: string;
  readonly domain: string | null;
  readonly state: StepState;
  readonly input: JsonObject;
  readonly before: JsonObject | null;
  readonly result: JsonObject | null;
}

const ended: readonly RunState[] = ['monitoring', 'closed', 'compensated', 'manual'];
const done: readonly StepState[] = ['effect-done', 'verified', 'compensation-failed'];
/** They leave nothing behind that would have to go. */
const traceless = /^(verify\.|marker\.|backup\.|notify)/;

/** The way back from a run: what it did, the other way round and in the other order, from the state before each step. */
export function draftUndo(world: PlanningWorld, run: PastRun): PlanDraft {
  if (!ended.includes(run.state)) throw RunInProgress.notEnded(run.id, `The run is ${run.state}`);
  if (run.undoneBy !== null) throw new NothingToDo(`Run ${run.undoneBy} has taken it back`);
  const effects = run.steps.filter(({ state, action }) => done.includes(state) && !traceless.test(action));
  if (effects.some(({ action }) => action === 'purge')) {
    throw new NotUndoable(run.id, 'What it purged is only in the backup; restore it from there');
  }
  const back = [...effects].reverse().flatMap((step) => inverseOf(world, run.id, step));
  if (back.length === 0) throw new NothingToDo('The run has left nothing that could be taken back');

  const named = back.flatMap(({ domain }) => (domain === null ? [] : [domain]));
  const going = world.domains.filter(({ name }) => named.includes(name)).reverse();
  const structural = back.filter(({ action }) => touchesSchema(action));
  const first = structural.length > 0 ? switchOffFor(world, structural) : [];
  // What a restore had repaired is damaged again: that is told while it is off, and decides nothing.
  const damaged = going.filter(({ name }) => back.some((wish) => wish.action === 'step.undo' && wish.domain === name));
  const data = back.filter((wish) => placeOf(wish) === 0);
  const rest = back.filter((wish) => placeOf(wish) > 0).sort(rank);
  return {
    domains: going.map(({ name }) => name),
    policy: 'compensate',
    dataLossRisk: 'none',
    unavailable: [],
    budgetS: 900,
    targetS: 60,
    backup: null,
    wishes: numbered([
      ...first,
      ...(structural.length > 0 ? [marker(`before undo of ${run.id}`)] : []),
      ...data,
      ...damaged.map(({ name }) => verifyDomain(name)),
      ...rest,
      ...going.filter((domain) => !damaged.includes(domain)).map(({ name }) => verifyDomain(name)),
      verifyAll,
    ]),
    changes: back.flatMap((wish) => changeOf(world, wish)),
    warnings: [],
    notes: ['Modules come back as their flags say; the overlay never makes a flag true'],
  };
}

function inverseOf(world: PlanningWorld, runId: string, step: PastStep): readonly StepWish[] {
  const { action, domain, input, idx } = step;
  const { flag } = input;
  switch (action) {
    case 'flag.off':
      // What was off before the run is not the run's to switch on.
      if (typeof flag !== 'string' || step.result?.['changed'] === false) return [];
      return [{ key: `lift:${flag}`, action: 'flag.lift', domain, input: { flag, ofRun: runId } }];
    case 'flag.lift':
      if (typeof flag !== 'string' || step.result?.['changed'] === false) return [];
      return [{ key: `off:${flag}`, action: 'flag.off', domain, input: { flag } }];
    case 'jobs.stop':
      // A queue that was paused before the run stays so.
      return domain === null || step.before?.['queue'] === 'paused' ? [] : [jobsStart(domain)];
    case 'jobs.start':
      return domain === null ? [] : [jobsStop(domain)];
    case 'migration.down':
      return domain === null ? [] : [moving(migrationUp(domain), step)];
    case 'migration.up':
      return domain === null ? [] : [moving(migrationDown(domain), step)];
    case 'unleash.sync':
      return unleashBack(step);
    case 'manual.command':
      return [{ key: `manual:${idx}`, action, domain, input: { what: `Take back: ${wordOf(input, 'what')}` } }];
    default:
      if (!newestOf(world.catalogue, 'step.undo')) throw new NotUndoable(runId, `Nothing takes ${action} back`);
      return [
        { key: `undo:${idx}`, action: 'step.undo', domain, input: { runId, idx, ...(domain !== null && { domain }) } },
      ];
  }
}

/** The flags of Unleash that the step has changed, as they were; nothing waits for it, because it may be away. */
function unleashBack(step: PastStep): readonly StepWish[] {
  const { before, result } = synced.safeParse(step).data ?? {};
  if (!before || !result || result.changed.length === 0) return [];
  const input = {
    on: result.changed.filter((flag) => before.flags[flag] === true),
    off: result.changed.filter((flag) => before.flags[flag] === false),
  };
  return [{ key: 'unleash', action: 'unleash.sync', domain: null, input, onFail: 'continue' }];
}

const synced = z.object({
  before: z.object({ flags: z.record(z.string(), z.boolean()) }),
  result: z.object({ changed: z.array(z.string()) }),
});

/** Exactly the migrations that the step has moved: what was parked before it stays parked. */
function moving(wish: StepWish, { input: { feature }, result }: PastStep): StepWish {
  const moved = result?.['moved'];
  const of = typeof feature === 'string' && { feature };
  return Array.isArray(moved) ? { ...wish, input: { ...wish.input, only: moved, ...of } } : wish;
}

function touchesSchema(action: string): boolean {
  return action.startsWith('migration.') || action === 'step.undo';
}

/** Whatever is there must not be used while its schema changes; what is off already stays whose it is. */
function switchOffFor(world: PlanningWorld, structural: readonly StepWish[]): readonly StepWish[] {
  const whole = structural.filter(({ input }) => input['feature'] === undefined);
  const names = new Set(whole.flatMap(({ domain }) => (domain === null ? [] : [domain])));
  const touched = new Set([...names].flatMap((name) => goingWith(world.domains, name)));
  const parts = structural.filter(({ domain, input }) => input['feature'] !== undefined && !names.has(domain ?? ''));
  return [
    ...switchOff(world.domains.filter((domain) => touched.has(domain)).reverse()),
    ...parts.map(({ domain, input }) => flagOff(wordOf(input, 'feature'), domain)),
    ...parts.flatMap(({ domain }) => (domain === null ? [] : [jobsStop(domain)])),
  ];
}

/** Data comes back first, then jobs, then flags: those who use a thing come after it. */
function rank(one: StepWish, other: StepWish): number {
  return placeOf(one) - placeOf(other);
}

function placeOf({ action }: StepWish): number {
  if (action.startsWith('flag.')) return 2;
  return action.startsWith('jobs.') ? 1 : 0;
}

/** A key may come twice, when the run had such a step twice. */
function numbered(wishes: readonly StepWish[]): readonly StepWish[] {
  const seen = new Map<string, number>();
  return wishes.map((wish) => {
    const times = seen.get(wish.key) ?? 0;
    seen.set(wish.key, times + 1);
    return times === 0 ? wish : { ...wish, key: `${wish.key}:${times + 1}` };
  });
}

function changeOf(world: PlanningWorld, { action, domain, input }: StepWish): PlanDraft['changes'] {
  const flag = wordOf(input, 'flag');
  switch (action) {
    case 'flag.lift':
      return [{ component: `flag ${flag}`, from: isOn(world, flag) ? 'on' : 'off', to: 'as its source says' }];
    case 'flag.off':
      return [{ component: `flag ${flag}`, from: isOn(world, flag) ? 'on' : 'off', to: 'off, by hand' }];
    case 'migration.up':
      return [schemaChange(world, domain ?? '', 'live')];
    case 'migration.down':
      return [schemaChange(world, domain ?? '', 'parked')];
    case 'jobs.start':
    case 'jobs.stop':
      return [
        {
          component: `jobs of ${domain ?? ''}`,
          from: 'as they are',
          to: action === 'jobs.start' ? 'running' : 'stopped',
        },
      ];
    default:
      return [{ component: domain ?? 'all', from: 'as it is', to: `before step ${wordOf(input, 'idx')} of the run` }];
  }
}
