import { directory } from '@belay/directory';
import { readConfig } from '@belay/platform';
import { wms } from '@belay/wms';
import { startApi } from '../../../apps/api/src/api.js';
import { startWorker } from '../../../apps/worker/src/worker.js';

const config = readConfig();
const domains = [directory, wms];
const { url } = await startApi({ config, domains });
await startWorker({ config, domains });
process.send?.({ url });
process.on('disconnect', () => process.exit(0));
