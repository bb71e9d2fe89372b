import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { report, type Orders, type Report } from './crash-orders.js';

/** A process that hosts executors, ready for its orders; it knows all actions of the build, and the shelf's. */
export class ExecutorProcess {
  readonly #listeners = new Set<(told: Report) => void>();
  readonly #gone: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.#gone = once(child, 'exit');
    child.on('message', (message) => {
      const told = report.parse(message);
      for (const listener of this.#listeners) listener(told);
    });
  }

  static async start(): Promise<ExecutorProcess> {
    const child = fork(fileURLToPath(new URL('processes/executor.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: {},
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const told = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => undefined)]);
    if (!told) throw new Error('The executor did not start');
    return new ExecutorProcess(child);
  }

  onReport(listener: (told: Report) => void): void {
    this.#listeners.add(listener);
  }

  /** Called when it ends without being told to. */
  onDeath(listener: () => void): void {
    this.child.once('exit', listener);
  }

  /** Sets its executors to work, and waits until all stand by. */
  async order(orders: Orders): Promise<void> {
    let missing = orders.worlds.length;
    const standing = new Promise<void>((resolve) => {
      this.onReport((told) => {
        if (!('standing' in told)) return;
        missing -= 1;
        if (missing === 0) resolve();
      });
    });
    this.child.send(orders);
    await Promise.race([standing, this.#gone]);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.child.removeAllListeners('exit');
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
