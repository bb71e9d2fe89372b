import { readConfig } from '@belay/platform';
import { z } from 'zod';
import { actions } from '../../../libs/rollback/src/actions/registry.js';
import { Actions } from '../../../libs/rollback/src/engine/actions.js';
import { stepContext } from '../../../libs/rollback/src/engine/step-context.js';
import { ledgers } from '../../../migrations/index.js';
import { openWorld } from '../run-room.js';
import { yard, yardLedger } from '../yard.js';

const order = z.object({
  env: z.record(z.string(), z.string()),
  action: z.string(),
  input: z.record(z.string(), z.json()),
  runId: z.uuid(),
  stepKey: z.string(),
  how: z.enum(['execute', 'compensate']),
});

/** Does a step, or takes it back, until it is done or somebody kills it. */
process.once('message', (message) => {
  const { env, action: name, input, runId, stepKey, how } = order.parse(message);
  void openWorld(readConfig(env), [yard], [...ledgers, yardLedger]).then(async (world) => {
    const action = new Actions(actions).get(name, 1);
    const context = stepContext(world, { runId, stepKey, epoch: 1n, scope: 'live', actor: 'maria', reason: 'a test' });
    process.send?.('begins');
    if (how === 'execute') await action.execute(context, input);
    else await action.compensate(context, input, { before: {}, result: null });
    process.exit(0);
  });
});
process.send?.('ready');
