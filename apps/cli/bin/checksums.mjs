/**
 * Writes migrations/checksums.json: the SHA-256 of every migration's source with LF line ends, by `domain/name`.
 * An applied migration is recognised by it, so that one that was changed afterwards is refused.
 * With --check it writes nothing and fails when the file is stale. Runs on Node 20 and newer, without dependencies.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../../migrations/', import.meta.url);
const file = new URL('checksums.json', folder);

/** The text that the file must have. */
export function checksums() {
  const entries = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'support')
    .flatMap(({ name: domain }) =>
      readdirSync(new URL(`${domain}/`, folder))
        .filter((name) => /^\d{13}-.+\.ts$/.test(name))
        .map((name) => [`${domain}/${name.slice(0, -'.ts'.length)}`, hash(new URL(`${domain}/${name}`, folder))]),
    )
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

function hash(url) {
  return createHash('sha256').update(readFileSync(url, 'utf8').replaceAll('\r\n', '\n')).digest('hex');
}

function present() {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Migrations that had a checksum and have another one now. */
function changed(wanted) {
  const before = JSON.parse(present() || '{}');
  return Object.entries(JSON.parse(wanted))
    .filter(([name, checksum]) => name in before && before[name] !== checksum)
    .map(([name]) => name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = checksums();
  if (present() !== wanted) {
    if (process.argv.includes('--check')) {
      console.error('migrations/checksums.json is stale: run node apps/cli/bin/checksums.mjs');
      process.exitCode = 1;
    } else {
      for (const name of changed(wanted)) {
        console.warn(`migrations/${name}.ts was changed: a database that has it already will refuse this build.`);
      }
      writeFileSync(file, wanted);
    }
  }
}
