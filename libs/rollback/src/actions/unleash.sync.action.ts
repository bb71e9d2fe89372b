import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import type { JsonObject } from '../engine/json.js';
import { checkFlag } from './flag-state.service.js';
import { UnleashEnvironment } from './unleash-environment.service.js';

const input = z.strictObject({ off: z.array(z.string()).default([]), on: z.array(z.string()).default([]) });
type Wanted = z.infer<typeof input>;

const states = z.record(z.string(), z.boolean());
const before = z.object({ flags: states });

/** Sets the flags of Unleash to what was done by hand, so that lifting an override changes nothing by surprise. */
export const unleashSync = defineAction({
  name: 'unleash.sync',
  version: 1,
  input,
  critical: false,
  destructive: false,
  effect: true,
  timeoutS: 60,
  retries: { attempts: 3, when: () => true },
  emergency: 'may',
  compensated: true,

  async inspect(context, wanted) {
    const unleash = UnleashEnvironment.of(context.world.runtime.config);
    const names = namesOf(context, wanted);
    return { flags: unleash ? await unleash.states(names, context.signal) : {}, configured: unleash !== undefined };
  },

  async preview(context, wanted) {
    const unleash = UnleashEnvironment.of(context.world.runtime.config);
    const notes = unleash ? [] : ['No token of the admin API is configured: Unleash stays as it is'];
    const present = unleash ? await unleash.states(namesOf(context, wanted), context.signal) : {};
    const changes = Object.entries(targets(wanted))
      .filter(([flag, on]) => flag in present && present[flag] !== on)
      .map(([flag, on]) => `Unleash: ${flag} ${on ? 'on' : 'off'}`);
    return { changes, estimatedMs: 500, lock: 'none', rows: 0, reversible: true, notes };
  },

  execute: (context, wanted) => apply(context, targets(wanted)),

  async verify({ world, signal }, wanted) {
    const unleash = UnleashEnvironment.of(world.runtime.config);
    if (!unleash) return { outcome: 'pass', facts: { skipped: true } };
    const flags = await unleash.states(Object.keys(targets(wanted)), signal);
    const wrong = Object.entries(targets(wanted)).filter(([flag, on]) => flag in flags && flags[flag] !== on);
    return { outcome: wrong.length === 0 ? 'pass' : 'fail', facts: { flags, wrong: wrong.map(([flag]) => flag) } };
  },

  compensate: (context, _, done) => apply(context, before.parse(done.before).flags),

  async reconcile({ world, signal }, wanted) {
    const unleash = UnleashEnvironment.of(world.runtime.config);
    if (!unleash) return { effect: 'done', result: { skipped: true } };
    const flags = await unleash.states(Object.keys(targets(wanted)), signal);
    const open = Object.entries(targets(wanted)).filter(([flag, on]) => flag in flags && flags[flag] !== on);
    return open.length > 0 ? { effect: 'not-done' } : { effect: 'done', result: { changed: [], skipped: false } };
  },
});

function targets({ off, on }: Wanted): Readonly<Record<string, boolean>> {
  const wanted = [...off.map((flag) => ({ flag, on: false })), ...on.map((flag) => ({ flag, on: true }))];
  return Object.fromEntries(wanted.map((one) => [one.flag, one.on]));
}

function namesOf(context: StepContext, wanted: Wanted): readonly string[] {
  const names = Object.keys(targets(wanted));
  for (const flag of names) checkFlag(context, flag);
  return names;
}

/** A flag that Unleash does not have is off for everybody already, and is not made. */
async function apply(context: StepContext, wanted: Readonly<Record<string, boolean>>): Promise<JsonObject> {
  const unleash = UnleashEnvironment.of(context.world.runtime.config);
  if (!unleash) return { skipped: true };
  await context.inControl(() => Promise.resolve());
  const present = await unleash.states(Object.keys(wanted), context.signal);
  const changed: string[] = [];
  for (const [flag, on] of Object.entries(wanted)) {
    if (!(flag in present) || present[flag] === on) continue;
    await unleash.set(flag, on, context.signal);
    changed.push(flag);
  }
  return { changed, skipped: false };
}
