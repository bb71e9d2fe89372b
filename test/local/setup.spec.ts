import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { isAlive } from './belay-command.js';

const home = mkdtempSync(join(tmpdir(), 'belay-setup-'));
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

describe('the preparation of a fresh machine', () => {
  const checkout = join(home, 'checkout');
  const bin = join(home, 'bin');
  const log = join(home, 'npm.log');

  beforeEach(() => {
    rmSync(checkout, { recursive: true, force: true });
    rmSync(log, { force: true });
    mkdirSync(join(checkout, 'test', 'bench'), { recursive: true });
    cpSync('apps/cli/bin', join(checkout, 'apps', 'cli', 'bin'), { recursive: true });
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) cpSync(name, join(checkout, name));
  });

  it('says that the registry cannot be reached, after seconds', async () => {
    const npm_config_cache = join(home, 'empty-cache');
    const answer = await prepare({ npm_config_registry: 'http://127.0.0.1:9', npm_config_cache });
    expect(answer).toMatchObject({ code: 1 });
    expect(answer.text).toMatch(/^\[\d\.\d s\] installing dependencies$/m);
    expect(lastLine(answer.text)).toBe(
      '✗ The npm registry cannot be reached: check the network, or the registry and proxy in your npm configuration.',
    );
  });

  it.each([
    ['npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write', 'The disk is full'],
    ['npm error code EUSAGE', 'package-lock.json does not fit package.json'],
    ['npm error code EBADENGINE', 'This npm is too old'],
    ['npm error code E401\nnpm error Incorrect or missing password.', 'The npm registry refuses us'],
    ['npm error code EACCES', 'Files of this folder cannot be written'],
    ['npm error code EINTEGRITY', 'A package is not what the lock file names'],
    ['npm error the moon is full', 'Something went wrong that was not foreseen:\nnpm error the moon is full'],
  ])('says in one sentence what stopped npm: %j', async (said, sentence) => {
    const answer = await prepare({ PATH: npmThat(`printf '%b' ${JSON.stringify(said)} >&2; exit 1`) });
    expect(answer).toMatchObject({ code: 1 });
    expect(answer.text).toContain(`\n✗ ${sentence}`);
  });

  it('is not misled by warnings', async () => {
    const said = 'npm warn EBADENGINE Unsupported engine\nnpm error code ENOSPC';
    const answer = await prepare({ PATH: npmThat(`printf '%b' ${JSON.stringify(said)} >&2; exit 1`) });
    expect(lastLine(answer.text)).toMatch(/^✗ The disk is full/);
  });

  it('finds in the lock file what every platform needs', () => {
    const check = spawnSync(process.execPath, ['apps/cli/bin/lock-platforms.mjs', '--check'], { encoding: 'utf8' });
    expect(check).toMatchObject({ status: 0, stderr: '' });
  });

  it('says that npm is missing', async () => {
    const answer = await prepare({ PATH: home });
    expect(lastLine(answer.text)).toBe('✗ npm is not installed: it comes with Node.js, version 20 or newer.');
  });

  it('says that there is no Node for the platform', async () => {
    const olderNode = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})`;
    const answer = await prepare({ PATH: npmThat('mkdir -p node_modules') }, ['--import', olderNode]);
    expect(answer).toMatchObject({ code: 1 });
    expect(lastLine(answer.text)).toBe(
      `✗ There is no Node 24 for ${process.platform} on ${process.arch} among the npm packages: ` +
        'install Node 24.11 or newer and run the command again.',
    );
  });

  it('installs once, and again only when something differs or an installation was cut off', async () => {
    const PATH = npmThat('mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json');
    await prepare({ PATH });
    await prepare({ PATH });
    expect(installations()).toBe(1);

    rmSync(join(checkout, 'node_modules', '.package-lock.json'));
    await prepare({ PATH });
    expect(installations()).toBe(2);

    const lock = readFileSync(join(checkout, 'package-lock.json'), 'utf8');
    writeFileSync(join(checkout, 'package-lock.json'), lock.replace(/("node_modules\/zod": \{\s+"version": ")/, '$19'));
    await prepare({ PATH });
    expect(installations()).toBe(3);
  });

  it('installs once when two commands begin at the same time', async () => {
    const install = 'mkdir -p node_modules && sleep 0.5 && cp package-lock.json node_modules/.package-lock.json';
    const PATH = npmThat(install);
    const answers = await Promise.all([prepare({ PATH }), prepare({ PATH })]);
    expect(installations()).toBe(1);
    expect(answers.map(({ text }) => text).join('')).toContain('waiting for another command that prepares this folder');
  });

  it('does not wait for a command that was killed', async () => {
    mkdirSync(join(checkout, '.belay'));
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    writeFileSync(join(checkout, '.belay', 'setup.lock'), String(gone.pid));
    const PATH = npmThat('mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json');
    expect((await prepare({ PATH })).text).toContain('dependencies installed');
  });

  it('ends quietly when it is interrupted', async () => {
    const command = begin({ PATH: npmThat('exec sleep 30') });
    await eventually(() => {
      expect(installations()).toBe(1);
    }, 10_000);
    command.process.kill('SIGINT');
    expect(await command.ended).toMatchObject({ code: 130, text: expect.not.stringContaining('✗') });
    expect(existsSync(join(checkout, '.belay', 'setup.lock'))).toBe(false);
  });

  /** A search path on which `npm` is a script that writes down that it was called and then does this. */
  function npmThat(does: string): string {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "$1" >> '${log}'\n${does}\n`);
    chmodSync(join(bin, 'npm'), 0o755);
    return `${bin}:/usr/bin:/bin`;
  }

  function installations(): number {
    return existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .filter((line) => line === 'ci').length
      : 0;
  }

  /** Runs a command that needs nothing but the dependencies, and fails behind them. */
  function prepare(env: Record<string, string>, node: readonly string[] = []) {
    return begin(env, node).ended;
  }

  function begin(env: Record<string, string>, node: readonly string[] = []) {
    const program = join(checkout, 'apps', 'cli', 'bin', 'setup.mjs');
    return run([...node, program, 'bench', 'no-such-benchmark'], { ...inherited, ...env });
  }
});

describe('a command', () => {
  it('hands its exit code on', async () => {
    const { ended } = run([resolve('test/local/processes/finish.mjs'), 'process.exitCode = 7'], inherited);
    expect(await ended).toMatchObject({ code: 7 });
  });

  it('is told to end when we are, and decides how', async () => {
    const ends = `process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1e3); console.log(process.pid)`;
    const command = run([resolve('test/local/processes/finish.mjs'), ends], inherited);
    await command.said(/\d+/);
    command.process.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 3 });
  });

  it('forks programs that live as long as they are spoken to', async () => {
    // The last two of its own arguments are -e and this.
    const parent = `const { fork } = require('node:child_process');
      const child = fork('test/local/processes/echo.mjs', { execArgv: process.execArgv.slice(0, -2) });
      setTimeout(() => child.send('still here'), 300);
      child.on('message', (word) => { console.log(word); child.disconnect(); });
      child.on('exit', (code) => process.exit(code));`;
    const command = run([resolve('test/local/processes/finish.mjs'), parent], inherited);
    expect(await command.ended).toMatchObject({ code: 0, text: expect.stringContaining('still here') });
  });

  it('does not outlive us', async () => {
    const stays = 'setInterval(() => {}, 1e3); console.log(process.pid)';
    const command = run([resolve('test/local/processes/finish.mjs'), stays], inherited);
    const pid = Number(await command.said(/\d+/));
    command.process.kill('SIGKILL');
    await eventually(() => {
      expect(isAlive(pid)).toBe(false);
    }, 5_000);
  });
});

// What npm tells the scripts it runs is left out: these tests say themselves which npm there is.
// eslint-disable-next-line no-restricted-properties -- handed on to other programs
const { HOME = home, PATH = '' } = process.env;
const inherited = { HOME, PATH };

interface Run {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; text: string }>;
  said(pattern: RegExp): Promise<string>;
}

function run(args: readonly string[], env: Record<string, string>): Run {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  return {
    process: child,
    ended: once(child, 'close').then(() => ({ code: child.exitCode, text })),
    said: async (pattern) => {
      await eventually(() => {
        expect(text).toMatch(pattern);
      }, 10_000);
      return pattern.exec(text)?.[0] ?? '';
    },
  };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
