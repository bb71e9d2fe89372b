import type { Domain } from '@belay/platform';
import type { JsonObject } from '../engine/json.js';
import { gatesOf, goingWith } from './domain-order.rules.js';
import { levelNeeded } from './order-lint.rules.js';
import { offChanges, schemaChange, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { TargetUnknown } from './plan.problems.js';
import { newestOf, wordOf, type StepWish } from './plan-step.rules.js';
import type { RunbookDoc } from './runbook.contract.js';
import { backup, flagOff, jobsStop, marker, verifyAll, verifyDomain } from './step-wish.rules.js';

type RunbookTarget = Extract<PlanTarget, { kind: 'runbook' }>;

/** Those that bring what they replace back by themselves need no backup made for them. */
const bringOwn = new Set(['domain.restore', 'database.restore', 'migration.up', 'step.undo']);

/**
 * A runbook with the common frame around it: whatever cannot live without its domain goes first, a marker, a proven
 * backup before what touches rows, and a look at everything at the end. What the runbook says itself is kept.
 */
export function draftRunbook(world: PlanningWorld, target: RunbookTarget, doc: RunbookDoc): PlanDraft {
  const wanted = chosen(doc, target).map((step): StepWish => wishOf(doc, step, target));
  const domain = world.domains.find(({ name }) => name === doc.domain);
  // What is about one feature says itself what goes off before it.
  const structural = wanted.some(
    ({ action, input }) =>
      newestOf(world.catalogue, action)?.destructive === true && typeof input['feature'] !== 'string',
  );
  const going = domain && structural ? goingWith(world.domains, domain.name) : domain ? [domain] : [];
  const level = Math.max(0, ...wanted.map((wish) => levelOf(world, wish)));
  const framed = looked(world, kept(world, doc, level, opened(world, domain, structural, wanted)));
  const wishes = apart(framed, wanted);
  return {
    domains: wanted.some(({ action }) => action === 'database.restore')
      ? [...world.domains].reverse().map(({ name }) => name)
      : going.map(({ name }) => name),
    policy: 'compensate',
    dataLossRisk: doc.dataLossRisk,
    backup: level > 0 ? { scope: [doc.domain], level } : null,
    budgetS: doc.budgetS,
    targetS: doc.targetS,
    wishes,
    changes: changesOf(world, going, wanted),
    unavailable: wanted.some(({ action, input }) => action === 'flag.off' && input['flag'] === domain?.flag)
      ? going.map(({ title }) => title)
      : [],
    warnings: [],
    notes: [...doc.preconditions, ...(domain?.runbook?.keeps ?? [])],
  };
}

/** Steps that are always done, and the optional ones that were asked for. */
function chosen({ id, steps }: RunbookDoc, target: RunbookTarget): RunbookDoc['steps'] {
  const optional = steps.filter((step) => step.optional).map(({ key }) => key);
  const strange = target.with.find((key) => !optional.includes(key));
  if (strange !== undefined) throw new TargetUnknown(`optional step ${strange} of ${id}`, optional);
  const keys = steps.map(({ key }) => key);
  const nobody = Object.keys(target.params).find((key) => !keys.includes(key));
  if (nobody !== undefined) throw new TargetUnknown(`step ${nobody} of ${id}`, keys);
  return steps.filter((step) => !step.optional || target.with.includes(step.key));
}

/** With what was said for this time put over what the runbook says. */
function wishOf(doc: RunbookDoc, step: RunbookDoc['steps'][number], { params }: RunbookTarget): StepWish {
  const said = params[step.key];
  const given: JsonObject = typeof said === 'object' && said !== null && !Array.isArray(said) ? said : {};
  const input = { ...step.params, ...given };
  const { key, action, timeoutS, onFail } = step;
  return { key, action, domain: domainOf(doc, action, input), input, timeoutS, onFail };
}

function domainOf({ domain }: RunbookDoc, action: string, input: JsonObject): string | null {
  if (typeof input['domain'] === 'string') return input['domain'];
  if (action === 'flag.off' || action === 'flag.lift') return input['flag'] === 'platform_writes' ? null : domain;
  return null;
}

function levelOf({ catalogue }: PlanningWorld, { action }: StepWish): number {
  const destructive = newestOf(catalogue, action)?.destructive === true && !bringOwn.has(action);
  return levelNeeded({ action, destructive });
}

/** Those that depend on the domain go off before it, as soon as its schema or rows are touched. */
function opened(
  world: PlanningWorld,
  domain: Domain | undefined,
  structural: boolean,
  wanted: readonly StepWish[],
): readonly StepWish[] {
  if (!domain || !structural || wanted.some(({ input }) => input['flag'] === 'platform_writes')) return wanted;
  const says = (action: string, name: string, value: string) =>
    wanted.some((wish) => wish.action === action && wish.input[name] === value);
  const going = goingWith(world.domains, domain.name);
  const flags = going.flatMap((one) => gatesOf(one).map((flag) => flagOff(flag, one.name)));
  const jobs = going.filter((one) => gatesOf(one).length > 0).map(({ name }) => jobsStop(name));
  return [
    ...flags.filter(({ input }) => !says('flag.off', 'flag', wordOf(input, 'flag'))),
    ...wanted.filter(({ action }) => action === 'flag.off'),
    ...jobs.filter(({ input }) => !says('jobs.stop', 'domain', wordOf(input, 'domain'))),
    ...wanted.filter(({ action }) => action !== 'flag.off'),
  ];
}

/** A marker and a backup that is proven, before the first step that needs one. */
function kept(world: PlanningWorld, doc: RunbookDoc, level: number, wishes: readonly StepWish[]): readonly StepWish[] {
  const own = wishes.some(({ action }) => action === 'marker.create') ? [] : [marker(`before ${doc.id}`)];
  const calm = wishes.findIndex(({ action }) => action !== 'flag.off' && action !== 'jobs.stop');
  const at = calm < 0 ? wishes.length : calm;
  const marked = [...wishes.slice(0, at), ...own, ...wishes.slice(at)];
  if (level === 0) return marked;

  const [create, verify] = backup([doc.domain], level);
  const made = marked.findIndex(({ action }) => action === 'backup.create');
  const proven = marked.some(({ action, input }) => action === 'backup.verify' && Number(input['level'] ?? 0) >= level);
  if (made >= 0) return proven || !verify ? marked : marked.toSpliced(made + 1, 0, verify);
  const first = marked.findIndex((wish) => levelOf(world, wish) > 0);
  return create && verify ? marked.toSpliced(first, 0, create, verify) : marked;
}

function looked({ catalogue }: PlanningWorld, wishes: readonly StepWish[]): readonly StepWish[] {
  const last = wishes.findLastIndex(({ action }) => newestOf(catalogue, action)?.effect === true);
  const unseen = wishes
    .flatMap(({ action, domain }) => (newestOf(catalogue, action)?.effect === true && domain !== null ? [domain] : []))
    .filter((name) => !wishes.some(({ action, domain }) => action === 'verify.domain' && domain === name));
  const all = wishes.findLastIndex(({ action }) => action === 'verify.all');
  return [...wishes, ...[...new Set(unseen)].map((name) => verifyDomain(name)), ...(all > last ? [] : [verifyAll])];
}

/** People name the steps of their runbook as they like: what is put around them stands back. */
function apart(framed: readonly StepWish[], wanted: readonly StepWish[]): readonly StepWish[] {
  const taken = new Set(wanted.map(({ key }) => key));
  return framed.map((wish) =>
    wanted.includes(wish) || !taken.has(wish.key) ? wish : { ...wish, key: `frame:${wish.key}` },
  );
}

function changesOf(world: PlanningWorld, going: readonly Domain[], wanted: readonly StepWish[]): PlanDraft['changes'] {
  const flags = wanted.flatMap(({ action, input }) =>
    action === 'flag.off' ? [{ component: `flag ${wordOf(input, 'flag')}`, from: 'as it is', to: 'off, by hand' }] : [],
  );
  const schemas = wanted.flatMap(({ action, domain }) =>
    action === 'migration.down' && domain !== null ? [schemaChange(world, domain, 'parked')] : [],
  );
  const restores = wanted.flatMap(({ action, domain, input }) =>
    action.endsWith('.restore')
      ? [
          {
            component: domain ?? 'the application database',
            from: 'as it is',
            to: `${action} ${JSON.stringify(input)}`,
          },
        ]
      : [],
  );
  const others = going.length > 1 ? offChanges(world, going.slice(0, -1)) : [];
  return [...others, ...flags, ...schemas, ...restores];
}
