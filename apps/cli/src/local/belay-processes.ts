import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.js';

const startMs = 60_000;
const endMs = 8_000;

/** The api and the worker of `npm start`. */
export class BelayProcesses {
  /** Settles when one of them has ended; says which and how. */
  readonly ended: Promise<string>;

  private constructor(
    private readonly api: Child,
    private readonly worker: Child,
  ) {
    this.ended = Promise.race(
      [api, worker].map(async (child) => `The ${child.name} ended unexpectedly (${await child.ended})`),
    );
  }

  static begin(env: Readonly<Record<string, string>>): BelayProcesses {
    return new BelayProcesses(child('api', env), child('worker', env));
  }

  /** Where the api answers, once both of them do their work. Throws when one of them ends instead, or takes too long. */
  async ready(): Promise<string> {
    const ready = async () => {
      const [address] = await Promise.all([this.api.message(), this.worker.message()]);
      const url = Object(address) === address ? String(Reflect.get(Object(address), 'url')) : '';
      while (this.api.running && !(await answers(`${url}/health/ready`))) await sleep(50);
      return url;
    };
    const failed = this.ended.then((sentence) => Promise.reject(new Error(`${sentence}.`)));
    return Promise.race([ready(), failed, lateness()]);
  }

  /** The api first, so that nothing is asked any more, then the worker; both within eight seconds, by force if need be. */
  async stop(): Promise<void> {
    const deadline = Date.now() + endMs;
    await this.api.stop(deadline);
    await this.worker.stop(deadline);
  }

  kill(): void {
    this.api.kill();
    this.worker.kill();
  }
}

function child(name: 'api' | 'worker', env: Readonly<Record<string, string>>): Child {
  const program = fileURLToPath(new URL(`../../../${name}/src/main.js`, import.meta.url));
  return new Child(name, { args: ['--enable-source-maps', program], env });
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function lateness(): Promise<never> {
  await sleep(startMs, undefined, { ref: false });
  throw new Error(`Belay was not ready within ${startMs / 1_000} s.`);
}
