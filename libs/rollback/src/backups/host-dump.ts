import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { World } from '../engine/world.js';
import { PgDumpImpossible } from '../rollback.problems.js';
import type { BackupScope } from './backup.contract.js';

const TOOL = 'pg_dump';
const ask = promisify(execFile);

/** The dump that PostgreSQL's own tool has written beside a backup; nothing of ours reads it. */
export function dumpBeside(folder: string): string {
  return `${folder}.dump`;
}

/** Throws `pg-dump-impossible` where the host has no tool that can read this server, or the dump would lie open. */
export async function checkHostDump({ runtime, application }: World): Promise<void> {
  if (runtime.config.BACKUP_KEY !== undefined) {
    throw new PgDumpImpossible('Backups are encrypted here (BACKUP_KEY), and a dump beside them would not be');
  }
  const told = await ask(TOOL, ['--version']).catch(() => undefined);
  const tool = Number(/\d+/.exec(told?.stdout ?? '')?.[0]);
  if (!tool) throw new PgDumpImpossible(`This machine has no ${TOOL}: install PostgreSQL's client tools`);
  const { rows } = await application.query<{ server: number }>(
    `SELECT current_setting('server_version_num')::integer / 10000 AS server`,
  );
  const server = rows[0]?.server ?? 0;
  if (tool < server) {
    throw new PgDumpImpossible(`This machine's ${TOOL} is of version ${tool}, and the server of version ${server}`);
  }
}

/**
 * Has the host's tool write the databases of the scope into one file of its custom format. It is there whole, or not at
 * all; its snapshot is its own.
 */
export async function writeHostDump({ targets }: World, scope: BackupScope, file: string): Promise<void> {
  const url = new URL(scope.kind === 'control' ? targets.controlUrl : targets.databaseUrl);
  const schemas = scope.kind === 'domains' ? scope.domains.flatMap((domain) => [domain, `${domain}__parked`]) : [];
  const secrets = await mkdtemp(join(tmpdir(), 'belay-dump-'));
  const draft = `${file}.part`;
  try {
    if (url.password !== '') {
      const passfile = join(secrets, 'passfile');
      const password = decodeURIComponent(url.password).replaceAll(/[\\:]/g, String.raw`\$&`);
      await writeFile(passfile, `*:*:*:*:${password}\n`, { mode: 0o600 });
      // A list of processes shows arguments to everybody.
      url.password = '';
      url.searchParams.set('passfile', passfile);
    }
    await using out = await open(draft, 'w', 0o600);
    const which = schemas.map((schema) => `--schema=${schema}`);
    const child = spawn(TOOL, ['--format=custom', '--no-password', ...which, `--dbname=${url.href}`], {
      stdio: ['ignore', out.fd, 'pipe'],
    });
    const [said] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')]);
    const { exitCode } = child;
    if (exitCode !== 0)
      throw new PgDumpImpossible(`${TOOL} ended with ${exitCode ?? 'a signal'}: ${said.trim().slice(0, 500)}`);
    await out.sync();
    await rename(draft, file);
  } finally {
    await rm(secrets, { recursive: true, force: true });
    await rm(draft, { force: true });
  }
}
