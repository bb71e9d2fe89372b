import { readConfig } from '@belay/platform';
import { directory } from '@belay/directory';
import { startWorker } from '../../../apps/worker/src/worker.js';
import { beacon } from '../domains/beacon.js';
import { gauge } from '../domains/gauge.js';
import { probe } from '../domains/probe.js';

/** A worker process with gated domains. */
const worker = await startWorker({ config: readConfig(), domains: [directory, beacon, probe, gauge] });
process.once('disconnect', () => void worker.close().then(() => process.exit(0)));
process.send?.({ url: worker.url ?? '', processId: worker.runtime.processId });
