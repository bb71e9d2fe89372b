import { z } from 'zod';
import type { Action, StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { markedStep } from '../engine/fence.js';
import type { JsonObject } from '../engine/json.js';
import { compensationKeyOf, stepContext } from '../engine/step-context.js';

const input = z.strictObject({
  runId: z.uuid(),
  idx: z.number().int().min(0),
  domain: z.string().nullable().default(null),
});
type Input = z.infer<typeof input>;

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());
const pastStep = z.object({
  key: z.string(),
  action: z.string(),
  version: z.number(),
  state: z.string(),
  input: json,
  before: json.nullable(),
  result: json.nullable(),
});

/**
 * Takes one step of an earlier run back, by the way that its own action has for it: as its compensation, had once,
 * under the lease and the epoch of the run that undoes.
 */
export function stepUndo(actions: readonly Action[]): Action {
  async function meant(context: StepContext, { runId, idx }: Input) {
    const { rows } = await context.world.control.query(
      `SELECT key, action, version, state, input, before, result FROM control.run_step WHERE run_id = $1 AND idx = $2`,
      [runId, idx],
    );
    const [step] = z.array(pastStep).parse(rows);
    const action = actions.find((one) => one.name === step?.action && one.version === step.version);
    if (!step || !action) throw new Error(`Run ${runId} has no step ${idx} that this build could take back`);
    return { step, action };
  }

  return defineAction<Input>({
    name: 'step.undo',
    version: 1,
    input,
    critical: true,
    destructive: true,
    effect: true,
    timeoutS: 900,
    retries: { attempts: 1, when: () => false },
    emergency: 'never',
    compensated: false,

    async inspect(context, given) {
      const { step } = await meant(context, given);
      return { action: step.action, state: step.state, undone: (await undone(context, step.key)) !== undefined };
    },

    async preview(context, given) {
      const { step } = await meant(context, given);
      return {
        changes: [`${step.action} ${JSON.stringify(step.input)} of run ${given.runId} is taken back`],
        estimatedMs: 30_000,
        lock: 'access-exclusive',
        rows: 0,
        reversible: true,
        notes: [`What was before it: ${JSON.stringify(step.before ?? {})}`],
      };
    },

    async execute(context, given) {
      const { step, action } = await meant(context, given);
      const { world, epoch, scope, deadline, actor, reason, signal, progress, inControl, sessionName } = context;
      const facts = { epoch, scope, deadline, actor, reason, signal, progress };
      const back = stepContext(world, { ...facts, runId: given.runId, stepKey: compensationKeyOf(step.key) });
      const done = { before: step.before ?? {}, result: step.result };
      return action.compensate({ ...back, inControl, sessionName }, step.input, done);
    },

    async verify(context, given) {
      const { step } = await meant(context, given);
      const marked = await undone(context, step.key);
      return { outcome: marked ? 'pass' : 'fail', facts: { action: step.action, result: marked ?? null } };
    },

    compensate: () => Promise.reject(new Error('What was taken back is done again by a plan of its own')),

    async reconcile(context, given) {
      const { step } = await meant(context, given);
      const result = await undone(context, step.key);
      return result ? { effect: 'done', result } : { effect: 'not-done' };
    },
  });
}

/** What taking it back has answered, when it was committed. */
function undone({ world }: StepContext, key: string): Promise<JsonObject | undefined> {
  return markedStep(world.application, compensationKeyOf(key));
}
