import { Command } from 'commander';
import { createFlags } from './local/create-flags.js';
import { FileLock } from './local/file-lock.js';
import { LocalProblem, startEmbedded } from './local/local-environment.js';
import { LocalState } from './local/local-state.js';
import { isPortFree } from './local/port.js';
import { Progress } from './local/progress.js';
import { StopSignal } from './local/stop-signal.js';
import { UnleashAdmin } from './local/unleash-admin.js';
import { UnleashServer } from './local/unleash-server.js';

/** `belay unleash`: a real Unleash server beside `belay start`, which takes its flags from there as long as it runs. */
export function unleashCommand(): Command {
  return new Command('unleash')
    .description('starts a real Unleash server with every flag of the release, until Ctrl-C')
    .action(async () => {
      // eslint-disable-next-line no-restricted-properties -- the port of another program, which readConfig() does not know
      await runUnleash(new LocalState(), Number(process.env['UNLEASH_PORT'] ?? 4242));
    });
}

async function runUnleash(state: LocalState, port: number): Promise<void> {
  const progress = new Progress();
  await using running = new AsyncDisposableStack();
  const stop = running.use(new StopSignal());
  running.adopt(lock(state), (one) => {
    one.release();
  });
  if (!(await isPortFree(port))) {
    throw new LocalProblem(`Port ${port} is taken: choose another, e.g. UNLEASH_PORT=${port + 1} npm run unleash.`);
  }

  progress.say('starting PostgreSQL');
  const postgres = running.adopt(await startEmbedded(state), (one) => one.stop());
  await postgres.ensureDatabase('unleash');
  progress.say('starting Unleash');
  const secrets = state.unleashSecrets();
  const databaseUrl = postgres.url('unleash');
  const server = running.adopt(await UnleashServer.start({ ...secrets, databaseUrl, port }), (one) => one.stop());
  const created = await createFlags(new UnleashAdmin(server.url, secrets.adminToken));
  progress.say(`${created} flags created, those that were there left as they are`);

  state.unleash = { url: `${server.url}/api`, token: secrets.clientToken };
  running.defer(() => {
    state.unleash = undefined;
  });
  console.log(`
Unleash 7.5.1 is ready (licence Apache-2.0).

  Open      ${server.url}
  Sign in   admin / ${secrets.adminPassword}
  Project   default, environment development

\`npm start\` takes its flags from here while this runs. Ctrl-C stops it; the flags stay.
`);
  const how = await Promise.race([stop.wait, server.ended]);
  if (how !== undefined) throw new LocalProblem(`Unleash ended unexpectedly (${how}).`);
  progress.say('stopping');
}

function lock(state: LocalState): FileLock {
  const one = FileLock.exclusive(state.path('unleash.lock'));
  if (one) return one;
  throw new LocalProblem(`Unleash already runs for this folder${state.unleash ? ` at ${state.unleash.url}` : ''}.`);
}
