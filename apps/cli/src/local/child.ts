import { spawn, type ChildProcess } from 'node:child_process';

export interface ChildOptions {
  /** Of the program, and options of Node before it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it writes is kept for `lastWords` instead of shown. */
  readonly quiet?: boolean;
}

const keptCharacters = 4_000;

/**
 * A Node process of ours, in a process group of its own: Ctrl-C reaches us alone, and we decide who stops first. It has
 * to end on SIGTERM, and when its channel to us is cut, for that is how it learns that we were killed.
 */
export class Child {
  /** Settles when it has ended, for whatever reason; says how. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  #lastWords = '';

  constructor(
    readonly name: string,
    { args, env, quiet = false }: ChildOptions,
  ) {
    const output = quiet ? 'pipe' : 'inherit';
    this.#process = spawn(process.execPath, args, {
      env,
      detached: process.platform !== 'win32',
      stdio: ['ignore', output, output, 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-keptCharacters);
      });
    }
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        resolve(error.message);
      });
      this.#process.once('exit', (code, signal) => {
        resolve(code === null ? `signal ${signal ?? 'unknown'}` : `exit code ${code}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get lastWords(): string {
    return this.#lastWords.trim();
  }

  /** The first message it sends: that it serves, and where. Never settles when it ends before. */
  message(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#process.once('message', resolve);
    });
  }

  /** Asks it to end, and makes it end at the deadline, a time in milliseconds since 1970. */
  async stop(deadline: number): Promise<void> {
    if (!this.running) return;
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), Math.max(0, deadline - Date.now()));
    await this.ended;
    clearTimeout(force);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
