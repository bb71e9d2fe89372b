import { hostname } from 'node:os';
import { Stage, startRuntime, type Config, type Domain, type Runtime } from '@belay/platform';
import { composeApi } from './compose.js';
import { Entrance } from './entrance.js';

export interface RunningApi {
  readonly url: string;
  readonly runtime: Runtime;
  /** Lets what is under way end, for four seconds at most, and then everything go. */
  close(): Promise<void>;
}

/** The API process: serves the domains that are on, and follows the flags without a restart. */
export async function startApi({
  config,
  domains,
}: {
  config: Config;
  domains: readonly Domain[];
}): Promise<RunningApi> {
  await using started = new AsyncDisposableStack();
  const runtime = started.adopt(await startRuntime('api', domains, config), (one) => one.close());
  const entrance = started.adopt(new Entrance(), (one) => {
    one.close();
  });
  const stage = await Stage.open({
    ...runtime,
    build: (enabled) => composeApi(runtime, enabled),
    show: (app) => {
      entrance.show(app);
    },
    drain: (app) => entrance.drain(app),
  });
  started.defer(async () => {
    entrance.stopListening();
    await stage.close();
  });
  const url = await entrance.listen(config.HOST, config.PORT);
  runtime.presence.listensAt(reachable(url, hostname()));
  runtime.log.info({ url }, 'listening');
  const running = started.move();
  return { url, runtime, close: () => running.disposeAsync() };
}

/** Whoever listens on every address is reached by its name. */
function reachable(url: string, host: string): string {
  return url.replace(/^http:\/\/(0\.0\.0\.0|\[::\])(?=:)/, `http://${host}`);
}
