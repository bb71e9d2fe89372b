import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const hello = z.object({ url: z.string(), processId: z.string() });
const change = z.object({ flag: z.string(), mode: z.string(), at: z.number() });
type Change = z.infer<typeof change>;

/** Milliseconds since 1970, comparable between the processes of a machine to a fraction of one. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** An API or a worker in a process of its own, with the gated domains of these tests. */
export class GatedProcess {
  readonly #waiting = new Set<(change: Change) => void>();

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly processId: string,
  ) {
    child.on('message', (message) => {
      const told = change.parse(message);
      for (const one of this.#waiting) one(told);
    });
  }

  static async start(role: 'api' | 'worker', env: Readonly<Record<string, string>>): Promise<GatedProcess> {
    const child = fork(fileURLToPath(new URL(`../support/processes/${role}.ts`, import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: { ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const said: unknown[] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])]);
    const { url, processId } = hello.parse(said[0]);
    return new GatedProcess(child, url, processId);
  }

  /** Ends when the flag next has this mode in the process; answers when that was. Ask before causing it. */
  next(flag: string, mode: string): Promise<number> {
    return new Promise((resolve) => {
      const look = (told: Change) => {
        if (told.flag !== flag || told.mode !== mode) return;
        this.#waiting.delete(look);
        resolve(told.at);
      };
      this.#waiting.add(look);
    });
  }

  async status(path: string, init?: RequestInit): Promise<number> {
    const response = await fetch(`${this.url}${path}`, init);
    await response.body?.cancel();
    return response.status;
  }

  async paths(): Promise<string[]> {
    const document: unknown = await (await fetch(`${this.url}/docs-json`)).json();
    return Object.keys(z.object({ paths: z.record(z.string(), z.unknown()) }).parse(document).paths);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
