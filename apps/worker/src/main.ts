import { domains } from '@belay/domains';
import { BadConfig, FlagsUnavailable, logCrashes, readConfig } from '@belay/platform';
import { startWorker } from './worker.js';

const mostMsToEnd = 10_000;

try {
  const worker = await startWorker({ config: readConfig(), domains });
  logCrashes(worker.runtime.log);
  const end = () => {
    setTimeout(() => process.exit(1), mostMsToEnd).unref();
    void worker.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', end).once('SIGINT', end).once('disconnect', end);
  process.send?.({ url: worker.url });
} catch (error) {
  const expected = error instanceof BadConfig || error instanceof FlagsUnavailable;
  console.error(expected ? error.message : error);
  process.exit(1);
}
