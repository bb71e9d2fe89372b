import { domains } from '@belay/domains';
import { BadConfig, FlagsUnavailable, logCrashes, readConfig } from '@belay/platform';
import { startApi } from './api.js';

const mostMsToEnd = 10_000;

try {
  const api = await startApi({ config: readConfig(), domains });
  logCrashes(api.runtime.log);
  const end = () => {
    setTimeout(() => process.exit(1), mostMsToEnd).unref();
    void api.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', end).once('SIGINT', end).once('disconnect', end);
  process.send?.({ url: api.url });
} catch (error) {
  const expected = error instanceof BadConfig || error instanceof FlagsUnavailable;
  console.error(expected ? error.message : error);
  process.exit(1);
}
