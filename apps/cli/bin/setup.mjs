#!/usr/bin/env node
/**
 * Prepares a fresh machine, then runs a command on the Node that npm installed. Plain JavaScript without dependencies,
 * because nothing is installed yet when it starts, and the system's Node may be an old one.
 *
 *     node apps/cli/bin/setup.mjs <start | test | check | bench | unleash | build | migrate | openapi> [arguments]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explain, SetupProblem } from './problems.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const modules = join(root, 'node_modules');
const cli = ['dist', 'apps', 'cli', 'src', 'main.js'];
const started = Date.now();

const [command = 'help', ...args] = process.argv.slice(2);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\n✗ ${explain(error)}`);
  process.exitCode = 1;
}

async function main() {
  process.chdir(root);
  await install();
  switch (command) {
    case 'test':
      return test();
    case 'check':
      return check();
    case 'bench':
      return bench();
    case 'build':
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      await build();
      return 0;
    default:
      await build();
      return run(join(root, ...cli), [command, ...args]);
  }
}

/** Installs what the lock file names, unless exactly that was installed to the end before. */
async function install() {
  const mark = join(modules, '.belay-installed');
  const wanted = digest(['package.json', 'package-lock.json', '.npmrc'].map((name) => readFileSync(join(root, name))));
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted && nodeProgram() !== undefined) return;

  say('installing dependencies (a minute or two the first time)');
  const output = await captured('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline']);
  if (output.code !== 0) throw new SetupProblem('install', output.text);
  if (nodeProgram() === undefined) throw new SetupProblem('platform', `${process.platform} ${process.arch}`);
  writeFileSync(mark, wanted);
  say('dependencies installed');
}

/** Compiles when a source has changed since the last build that came to its end. */
async function build() {
  const mark = join(root, 'dist', '.belay-built');
  const wanted = digest(sources().map((path) => `${relative(root, path)} ${statSync(path).mtimeMs} ${statSync(path).size}`));
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;

  say('building');
  await finished(nodeProgram(), [join('apps', 'cli', 'bin', 'checksums.mjs')]);
  rmSync(mark, { force: true });
  const output = await captured(nodeProgram(), [join(modules, '@nestjs', 'cli', 'bin', 'nest.js'), 'build']);
  if (output.code !== 0) throw new SetupProblem('build', output.text);
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, wanted);
  say('built');
}

async function test() {
  await build();
  await systemPackages();
  return jest(args);
}

/** Format, lint, types, unused code, then the walls: import rules, migrations and the published API. */
async function check() {
  const bin = (name, ...path) => [join(modules, name, ...path)];
  const steps = [
    ['format', [...bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    ['lint', [...bin('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0']],
    ['types', [...bin('typescript', 'bin', 'tsc'), '--noEmit']],
    ['unused code', [...bin('knip', 'bin', 'knip.js')]],
  ];
  const failed = [];
  for (const [name, step] of steps) {
    if ((await run(step[0], step.slice(1))) === 0) say(`${name}: clean`);
    else failed.push(name);
  }
  await build();
  const walls = ['test/architecture.spec.ts', 'test/migrations', 'test/openapi.spec.ts', 'test/compose.spec.ts'];
  if ((await jest(['--selectProjects=postgres', ...walls])) !== 0) failed.push('walls');
  if (failed.length > 0) console.error(`\n✗ Not clean: ${failed.join(', ')}.`);
  return failed.length === 0 ? 0 : 1;
}

/** Every benchmark, or those whose name holds one of the arguments, one after another. */
async function bench() {
  await build();
  const folder = join('test', 'bench');
  const all = readdirSync(join(root, folder)).filter((name) => name.endsWith('.bench.ts'));
  const chosen = all.filter((name) => args.length === 0 || args.some((part) => name.includes(part)));
  let worst = 0;
  for (const name of chosen) {
    say(name);
    worst = Math.max(worst, await run('--import', ['./test/support/ts-loader.mjs', join(folder, name)]));
  }
  return worst;
}

function jest(rest) {
  const options = { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };
  return run(join(modules, 'jest', 'bin', 'jest.js'), rest, options);
}

/** Servers that tests use and npm does not have; without them the tests that need them are skipped by name. */
async function systemPackages() {
  if (onPath('redis-server') || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  say('installing redis-server for the tests');
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  const apt = async (...rest) => (await captured('apt-get', rest, quiet)).code === 0;
  const installed = (await apt('install', '-y', '-qq', 'redis-server')) ||
    ((await apt('update', '-qq')) && (await apt('install', '-y', '-qq', 'redis-server')));
  if (!installed) say('redis-server could not be installed; tests on Redis will be skipped');
}

/** Node 24 from npm; else the one we run on, when it is new enough. */
function nodeProgram() {
  const local = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(local)) return local;
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 11) ? process.execPath : undefined;
}

function run(program, rest, env = {}) {
  return finished(nodeProgram(), [program, ...rest], env);
}

/** Runs to its end with our terminal; signals reach it through us, and it does not outlive us. */
function finished(program, rest, env = {}) {
  return new Promise((resolve, reject) => {
    const path = `${join(modules, '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`;
    const child = spawn(program, rest, { stdio: 'inherit', env: { ...process.env, PATH: path, ...env } });
    const forward = (signal) => child.kill(signal);
    // Ctrl-C reaches the child by itself, being in the same foreground group; we only must not die before it.
    const ignore = () => {};
    process.on('SIGTERM', forward).on('SIGHUP', forward).on('SIGINT', ignore);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGTERM', forward).off('SIGHUP', forward).off('SIGINT', ignore);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function captured(program, rest, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

function sources() {
  const folders = ['apps/api/src', 'apps/worker/src', 'apps/cli/src', 'libs', 'migrations'];
  const listed = folders.flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name) && !entry.name.endsWith('.spec.ts'))
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      : [],
  );
  return [...listed.filter((path) => !path.endsWith('checksums.json')), ...['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'].map((name) => join(root, name))].sort();
}

function onPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function say(text) {
  console.log(`[${((Date.now() - started) / 1000).toFixed(1)} s] ${text}`);
}
