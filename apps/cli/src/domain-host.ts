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

/** The terminal, and the databases that are configured or else those of `belay start`. */
export const domainHost: CommandHost = {
  open: openHost,
  print: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
  ask: (question) => ask(question),
  finish: (exitCode) => {
    process.exitCode = exitCode;
  },
  explain: sentenceFor,
};

/** Needs neither API nor worker; PostgreSQL is started only when it is ours and does not run. */
async function openHost(module: Type): Promise<OpenHost> {
  await using opened = new AsyncDisposableStack();
  const environment = new LocalEnvironment(new LocalState());
  const postgres = opened.adopt(await environment.startPostgres(), (one) => one?.stop());
  const variables = environment.processVariables(postgres);
  const runtime = opened.adopt(await runtimeOf(variables), (one) => one.close());
  const context = opened.adopt(await composeBeside(runtime, [module]), (one) => one.close());
  const all = opened.move();
  return {
    runtime,
    context,
    signIn: (username) => signIn(runtime, username),
    close: () => all.disposeAsync(),
  };
}

/** Whoever switches off must be able to when the flag server is dead and was never seen: then the release's defaults speak. */
async function runtimeOf(variables: Record<string, string>): Promise<RunningRuntime> {
  const quiet: Record<string, string> = { LOG_LEVEL: 'error', ...variables };
  try {
    return await startRuntime('cli', domains, readConfig(quiet));
  } catch (error) {
    if (!(error instanceof FlagsUnavailable)) throw error;
    domainHost.note(`${error.message} The flags' defaults are taken instead.\n`);
    return startRuntime('cli', domains, readConfig({ ...quiet, UNLEASH_URL: '', UNLEASH_TOKEN: '' }));
  }
}

/** With the modules that are always on, because one of them has the accounts; closed again at once. */
async function signIn(runtime: RunningRuntime, username: string): Promise<AccountFacts> {
  const password = await passwordOf(username);
  const core = domains.filter(({ flag }) => flag === undefined).map(({ module }) => module);
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

async function passwordOf(username: string): Promise<string> {
  // eslint-disable-next-line no-restricted-properties -- whoever types the command proves who they are by it; no process reads it
  const given = process.env['BELAY_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  const typed = await ask(`Password of ${username}: `, true);
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
