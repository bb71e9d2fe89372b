#!/usr/bin/env node
/**
 * Prepares a fresh machine, then runs a command on the Node that npm installed. Plain JavaScript without dependencies,
 * because nothing is installed yet when it starts, and the system's Node may be an old one.
 *
 *     node apps/cli/bin/setup.mjs <start | test | check | bench | bench:crash | unleash | build | migrate | first-admin | openapi | wms> [arguments]
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled, nodeProgram } from './installed.mjs';
import { explain, SetupProblem } from './problems.mjs';
import { capture, finish, forwardSignals, interruption } from './processes.mjs';
import { withTurn } from './turn.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const modules = join(root, 'node_modules');
const cli = join(root, 'dist', 'apps', 'cli', 'src', 'main.js');
const began = Date.now();

const [command = 'help', ...args] = process.argv.slice(2);

try {
  forwardSignals();
  process.chdir(root);
  await withTurn(join(root, '.belay', 'setup.lock'), say, install);
  process.exitCode = await main();
} catch (error) {
  process.exitCode = interruption() ?? 1;
  if (interruption() === undefined) console.error(`\n✗ ${explain(error)}`);
}

async function main() {
  switch (command) {
    case 'test':
      await build();
      await systemPackages();
      return jest(args);
    case 'check':
      return check();
    case 'bench':
      return bench();
    case 'bench:crash':
      await build();
      return runBench('crash.bench.ts', args);
    case 'build':
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      await build();
      return 0;
    default:
      await build();
      return run(['--enable-source-maps', cli, command, ...args], { BELAY_BEGAN: String(began) });
  }
}

/** Installs what the lock file names, unless exactly that is there already. */
async function install() {
  if (isInstalled(root)) return;
  say('installing dependencies');
  // Given up after seconds: npm's own patience with a registry that does not answer is minutes.
  const patience = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-factor=2'];
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const { code, text } = await capture(
    [...npm, 'ci', '--no-audit', '--no-fund', '--prefer-offline', ...patience],
    {},
    () => say('still installing'),
  );
  if (code !== 0) throw new SetupProblem('install', text);
  if (nodeProgram(root) === undefined) throw new SetupProblem('platform', `${process.platform} on ${process.arch}`);
  say('dependencies installed');
}

/** Compiles when a source has changed since the last build that came to its end. */
function build() {
  return withTurn(join(root, '.belay', 'build.lock'), say, async () => {
    const mark = join(root, 'dist', '.belay-built');
    const wanted = sources();
    if (existsSync(mark) && existsSync(cli) && readFileSync(mark, 'utf8') === wanted) return;
    say('building');
    rmSync(mark, { force: true });
    // Incremental compilation does not write again what was deleted from dist.
    if (!existsSync(cli)) rmSync(join(root, 'dist'), { recursive: true, force: true });
    await run([join('apps', 'cli', 'bin', 'checksums.mjs')]);
    const compiler = join(modules, '@nestjs', 'cli', 'bin', 'nest.js');
    const { code, text } = await capture([nodeProgram(root), compiler, 'build'], {}, () => say('still building'));
    if (code !== 0) throw new SetupProblem('build', text);
    mkdirSync(dirname(mark), { recursive: true });
    writeFileSync(mark, wanted);
    say('built');
  });
}

/** Format, lint, types, unused code, then the walls: import rules, migrations, the published API, the containers. */
async function check() {
  const steps = [
    ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
    ['lint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0'],
    ['types', 'typescript/bin/tsc', '--noEmit'],
    ['unused code', 'knip/bin/knip.js'],
  ];
  const unclean = [];
  for (const [name, program, ...rest] of steps) {
    if ((await run([join(modules, program), ...rest])) === 0) say(`${name}: clean`);
    else unclean.push(name);
  }
  await build();
  const walls = ['test/architecture.spec.ts', 'test/migrations', 'test/openapi.spec.ts', 'test/compose.spec.ts'];
  if ((await jest(['--selectProjects', 'postgres', '--', ...walls])) !== 0) unclean.push('walls');
  if (unclean.length > 0) console.error(`\n✗ Not clean: ${unclean.join(', ')}.`);
  return unclean.length === 0 ? 0 : 1;
}

/** Every benchmark, or those whose name holds one of the arguments, one after another. */
async function bench() {
  const folder = join('test', 'bench');
  // Ten thousand crashes take longer than all others together, and have a command of their own.
  const all = readdirSync(join(root, folder)).filter((name) => name.endsWith('.bench.ts') && name !== 'crash.bench.ts');
  const chosen = all.filter((name) => args.length === 0 || args.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new SetupProblem('arguments', `No benchmark is named like ${args.join(' or ')}.`);
  await build();
  let worst = 0;
  for (const name of chosen) {
    say(name);
    worst = Math.max(worst, await runBench(name, []));
  }
  return worst;
}

function runBench(name, rest) {
  return run(['--import', './test/support/ts-loader.mjs', join('test', 'bench', name), ...rest]);
}

function jest(rest) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return run([join(modules, 'jest', 'bin', 'jest.js'), ...rest], { NODE_OPTIONS: node.join(' ') });
}

/** Servers that tests use and npm does not have; without them the tests that need them are skipped by name. */
async function systemPackages() {
  if (onPath('redis-server') || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  say('installing redis-server for the tests');
  // The run level keeps the package from starting a server of its own.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const impatient = ['-o', 'Acquire::http::Timeout=10', '-o', 'Acquire::Retries=0', '-qq'];
  const apt = async (...rest) => (await capture(['apt-get', ...impatient, ...rest], env)).code === 0;
  const wanted = ['install', '-y', '--no-install-recommends', 'redis-server'];
  if (!((await apt(...wanted)) || ((await apt('update')) && (await apt(...wanted))))) {
    say('redis-server cannot be installed here: the tests that need it will be skipped');
  }
}

function run(rest, env = {}) {
  // Compiled code is kept between runs; it saves a third of the time to start.
  const cache = { NODE_COMPILE_CACHE: join(modules, '.cache', 'node') };
  const path = `${join(modules, '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`;
  return finish([nodeProgram(root), ...rest], { PATH: path, ...cache, ...env });
}

/** What the build depends on, with when it was last changed. */
function sources() {
  const folders = ['apps/api/src', 'apps/worker/src', 'apps/cli/src', 'libs', 'migrations'].map((name) =>
    join(root, name),
  );
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.(spec|samples)\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const path of [...files, ...settings.map((name) => join(root, name))].sort()) {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${relative(root, path)} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function onPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

function say(text) {
  console.log(`[${((Date.now() - began) / 1000).toFixed(1)} s] ${text}`);
}
