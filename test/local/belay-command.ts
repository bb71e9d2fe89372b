import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually.js';

const program = resolve('dist', 'apps', 'cli', 'src', 'main.js');
const readyMs = 60_000;

/** A command of the built `belay`, run in a folder of its own as from a terminal. */
export class BelayCommand {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    if (!existsSync(program)) throw new Error('These tests run the build: npm run build');
    this.#process = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { LOG_LEVEL: 'warn', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#ended = once(this.#process, 'close');
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Waits until it has printed that; answers the first group. Fails at once when the command ends without it. */
  async printed(pattern: RegExp): Promise<string> {
    let found: RegExpExecArray | null = null;
    await Promise.race([
      this.#ended,
      eventually(() => {
        found = pattern.exec(this.#output);
        if (!found) throw new Error(`Not printed: ${pattern}\n${this.#output}`);
      }, readyMs),
    ]);
    found = pattern.exec(this.#output);
    if (!found) throw new Error(`It ended and had not printed ${pattern}:\n${this.#output}`);
    return found[1] ?? found[0];
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits for its end; answers the exit code. */
  async code(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  /** The process ids of the api and the worker. */
  children(): { api: number; worker: number } {
    const ids = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const named = (name: string) =>
      ids.find((id) => readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(join('apps', name, 'src', 'main.js'))) ?? 0;
    return { api: named('api'), worker: named('worker') };
  }
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
