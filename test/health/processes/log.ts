import { createLogger, logCrashes, readConfig } from '@belay/platform';

/** Logs a thousand lines and ends in the way that the first argument says. */
const log = createLogger(readConfig(), 'api', 'p-1');
logCrashes(log);
for (let line = 1; line <= 1_000; line++) log.info({ line, headers: { authorization: 'Bearer hunter2' } }, 'counted');

switch (process.argv[2]) {
  case 'exit':
    process.exit(3);
    break;
  case 'throw':
    setImmediate(() => {
      throw new Error('nobody catches');
    });
    break;
  case 'reject':
    void Promise.reject(new Error('nobody waits'));
}
