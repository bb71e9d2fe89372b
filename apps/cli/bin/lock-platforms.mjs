/**
 * Completes package-lock.json with the optional packages of other platforms: npm leaves out of it what the registry it
 * asked does not carry, and `npm ci` then refuses the file wherever the registry does. Run it after `npm install`.
 * With --check it writes nothing and fails when something is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../../../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const missing = Object.entries(packages).flatMap(([folder, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !isFound(folder, name))
    .map(([name, version]) => [`node_modules/${name}`, entry(name, version, dev)]),
);

if (missing.length > 0 && process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${missing.length} packages: run node apps/cli/bin/lock-platforms.mjs`);
  process.exitCode = 1;
} else if (missing.length > 0) {
  const all = Object.entries({ ...packages, ...Object.fromEntries(missing) });
  const sorted = all.sort(([one], [other]) => one.localeCompare(other, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`${missing.length} packages added to package-lock.json`);
}

/** As Node looks it up: beside, then further up. */
function isFound(folder, name) {
  if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
  if (folder === '') return false;
  return isFound(folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/'))), name);
}

/** The platform is in the name, as in core-linux-arm64-musl; the version is exact among such packages. */
function entry(name, version, dev) {
  const words = name.split(/[/-]/);
  const [os, cpu] = [systems, processors].map((list) => words.filter((word) => list.includes(word)));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`The platform of ${name} cannot be read from its name.`);
  const abi = words.at(-1);
  const libc = os[0] !== 'linux' ? [] : abi.startsWith('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : [];
  return { version, cpu, ...(dev && { dev }), ...(libc.length > 0 && { libc }), optional: true, os };
}
