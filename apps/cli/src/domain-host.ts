import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { domains } from '@belay/domains';
import {
  FlagsUnavailable,
  PasswordSignIn,
  PlatformModule,
  readConfig,
  startRuntime,
  type AccountFacts,
  type CommandHost,
  type OpenHost,
  type RunningRuntime,
} from '@belay/platform';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ledgers } from '../../../migrations/index.js';
import { composeBeside } from '../../worker/src/compose.js';
import { sentenceFor } from './failure.js';
import { LocalEnvironment, LocalProblem } from './local/local-environment.js';
import { LocalState } from './local/local-state.js';

/** Where a command is typed: what is told and asked there, and what was set and is kept there. */
export interface Terminal extends Pick<CommandHost, 'print' | 'note' | 'finish'> {
  /** Undefined when nobody sits there; what is `hidden` is not shown while it is typed. */
  readonly ask: (question: string, hidden?: boolean) => Promise<string | undefined>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly state: () => LocalState;
}

/** The one that this process was started at. */
const ownTerminal: Terminal = {
  print: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
  ask,
  finish: (exitCode) => {
    process.exitCode = exitCode;
  },
  // eslint-disable-next-line no-restricted-properties -- it is handed on to what reads it by readConfig(), but for the password
  variables: process.env,
  state: () => new LocalState(),
};

/** The databases that are configured at the terminal, or else those of `belay start`. */
export function domainHost(terminal: Terminal = ownTerminal): CommandHost {
  const { print, note, finish } = terminal;
  return {
    open: (module) => openHost(terminal, module),
    print,
    note,
    ask: (question) => terminal.ask(question),
    finish,
    explain: sentenceFor,
  };
}

/** Needs neither API nor worker; PostgreSQL is started only when it is ours and does not run. */
async function openHost(terminal: Terminal, module: Type): Promise<OpenHost> {
  await using opened = new AsyncDisposableStack();
  const environment = new LocalEnvironment(terminal.state(), terminal.variables);
  const postgres = opened.adopt(await environment.startPostgres(), (one) => one?.stop());
  const variables = environment.processVariables(postgres);
  const runtime = opened.adopt(await runtimeOf(terminal, variables), (one) => one.close());
  const context = opened.adopt(await composeBeside(runtime, [module]), (one) => one.close());
  const all = opened.move();
  return {
    runtime,
    context,
    signIn: (username) => signIn(terminal, runtime, username),
    close: () => all.disposeAsync(),
  };
}

/** Whoever switches off must be able to when the flag server is dead and was never seen: then the release's defaults speak. */
async function runtimeOf({ note }: Terminal, variables: Record<string, string>): Promise<RunningRuntime> {
  const quiet: Record<string, string> = { LOG_LEVEL: 'error', ...variables };
  try {
    return await startRuntime('cli', domains, readConfig(quiet));
  } catch (error) {
    if (!(error instanceof FlagsUnavailable)) throw error;
    note(`${error.message} The flags' defaults are taken instead.\n`);
    return startRuntime('cli', domains, readConfig({ ...quiet, UNLEASH_URL: '', UNLEASH_TOKEN: '' }));
  }
}

/** With the modules that are always on and stand on no other, because one of them has the accounts; closed again at once. */
async function signIn(terminal: Terminal, runtime: RunningRuntime, username: string): Promise<AccountFacts> {
  const password = await passwordOf(terminal, username);
  const core = domains
    .filter(({ flag, after }) => flag === undefined && after.length === 0)
    .map(({ module }) => module);
  const context = await NestFactory.createApplicationContext(
    { module: SignInModule, imports: [PlatformModule.forRoot(ledgers, runtime), ...core] },
    // Nest declares these options as a class and expects a literal.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    { logger: false, abortOnError: false },
  );
  try {
    return await context.get(PasswordSignIn).prove(username, password);
  } finally {
    await context.close();
  }
}

@Module({})
class SignInModule {}

/** Whoever types a command proves who they are by it; no other process reads it. */
async function passwordOf({ variables, ask: asks }: Terminal, username: string): Promise<string> {
  const given = variables['BELAY_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  const typed = await asks(`Password of ${username}: `, true);
  if (typed === undefined)
    throw new LocalProblem(`Nobody is there to ask for the password of ${username}: set BELAY_PASSWORD.`);
  return typed;
}

async function ask(question: string, hidden = false): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  process.stderr.write(question);
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}
