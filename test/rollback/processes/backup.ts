import { readConfig, startRuntime } from '@belay/platform';
import { z } from 'zod';
import { backupScope } from '../../../libs/rollback/src/backups/backup.contract.js';
import { writtenBackup } from '../../../libs/rollback/src/backups/backup-record.service.js';
import { World } from '../../../libs/rollback/src/engine/world.js';
import { platformOnly } from '../backup-room.js';
import { yardLedger } from '../yard.js';

const order = z.object({ env: z.record(z.string(), z.string()), id: z.uuid(), scope: backupScope, killAt: z.number() });

/** Makes a backup, and is killed by itself when so much of it is written. */
process.once('message', (message) => {
  const { env, id, scope, killAt } = order.parse(message);
  void work(env, id, scope, killAt);
});
process.send?.('ready');

async function work(env: Record<string, string>, id: string, scope: z.infer<typeof backupScope>, killAt: number) {
  const runtime = await startRuntime('worker', [], readConfig(env));
  const world = new World(runtime, [...platformOnly, yardLedger]);
  await writtenBackup(world, {
    id,
    scope,
    progress: (done, total) => {
      if (done / total >= killAt) process.kill(process.pid, 'SIGKILL');
    },
  });
  process.exit(0);
}
