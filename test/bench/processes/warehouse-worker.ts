import { directory } from '@belay/directory';
import { readConfig } from '@belay/platform';
import { wms } from '@belay/wms';
import { startWorker } from '../../../apps/worker/src/worker.js';

const { url } = await startWorker({ config: readConfig(), domains: [directory, wms] });
process.send?.({ url });
process.on('disconnect', () => process.exit(0));
