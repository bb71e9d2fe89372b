import { readConfig } from '@belay/platform';
import { startWorker } from '../../../apps/worker/src/worker.js';
import { gallery, tower, workshop } from '../workshop.js';

/** A worker process with the domains of these tests; says so when it works, and ends in order when told to. */
const worker = await startWorker({ config: readConfig(), domains: [workshop, gallery, tower] });
const end = () => void worker.close().then(() => process.exit(0));
process.once('SIGTERM', end).once('disconnect', end);
process.send?.({ pid: process.pid });
