import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { domains } from '@belay/domains';
import { Command } from 'commander';
import type { z } from 'zod';
import { domainHost } from '../../apps/cli/src/domain-host.js';
import { LocalState } from '../../apps/cli/src/local/local-state.js';

type Variables = Readonly<Record<string, string>>;

interface Answered {
  readonly code: number | null;
  /** What a person reads, or a program with `--json`. */
  readonly out: string;
  /** What is told meanwhile. */
  readonly err: string;
}

/** Where commands are typed in a folder, with what was set there. */
abstract class CommandLine {
  constructor(
    protected readonly folder: string,
    protected readonly variables: Variables,
  ) {}

  abstract belay(args: readonly string[], more?: Variables): Promise<Answered>;

  /** The same with `--json`; throws, with all that was told, when it ends otherwise. */
  async json<Answer>(args: readonly string[], shape: z.ZodType<Answer>, code = 0): Promise<Answer> {
    return shape.parse(JSON.parse((await this.ends([...args, '--json'], code)).out));
  }

  /** Text for people; throws, with all that was told, when it ends otherwise. */
  async text(args: readonly string[], code = 0): Promise<string> {
    const { out, err } = await this.ends(args, code);
    return out + err;
  }

  private async ends(args: readonly string[], code: number): Promise<Answered> {
    const answered = await this.belay(args);
    if (answered.code === code) return answered;
    const { code: ended, out, err } = answered;
    throw new Error(`belay ${args.join(' ')} ended with ${ended}, not ${code}:\n${out}\n${err}`);
  }
}

/**
 * The built program as a process of its own for each command, as from a terminal. The next one is started while somebody
 * looks at the answer of the last, and waits until something is typed: most of a short command is its start.
 */
export class ProcessLine extends CommandLine {
  readonly #children = new Set<ChildProcess>();
  #next: ChildProcess | undefined;

  override async belay(args: readonly string[], more: Variables = {}): Promise<Answered> {
    const child = this.#next ?? this.start();
    this.#next = this.start();
    const told = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (told.out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (told.err += text));
    const closed = once(child, 'close');
    child.send({ args, env: more });
    await closed;
    return { code: child.exitCode, ...told };
  }

  /** Ends what still runs, and whoever waits for something to be typed. */
  async close(): Promise<void> {
    this.#next = undefined;
    await Promise.all(
      [...this.#children].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }),
    );
  }

  private start(): ChildProcess {
    const program = resolve('dist', 'apps', 'cli', 'src', 'main.js');
    const child = fork(fileURLToPath(new URL('processes/belay.mjs', import.meta.url)), [program], {
      cwd: this.folder,
      env: { ...this.variables },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }
}

/** The same commands within this process, and many times as fast: what domains bring, without what the program adds. */
export class InnerLine extends CommandLine {
  override async belay(args: readonly string[], more: Variables = {}): Promise<Answered> {
    const told = { out: '', err: '' };
    let code = 0;
    const host = domainHost({
      print: (text) => (told.out += text),
      note: (text) => (told.err += text),
      ask: () => Promise.resolve(undefined),
      finish: (ended) => (code = ended),
      variables: { ...this.variables, ...more },
      state: () => new LocalState(join(this.folder, '.belay')),
    });
    const belay = new Command('belay');
    for (const { commands } of domains) {
      for (const command of (await commands?.(host)) ?? []) belay.addCommand(command);
    }
    await belay.parseAsync(args, { from: 'user' });
    return { code, ...told };
  }
}
