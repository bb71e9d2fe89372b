import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { migrationStatus } from '@belay/platform';
import type { Command } from 'commander';
import { liveProcesses } from '../actions/live-process.queries.js';
import { AuditReader } from '../audit/audit-reader.service.js';
import { readLease } from '../engine/lease.js';
import type { World } from '../engine/world.js';
import { exitCodes } from './exit-code.rules.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count, size } from './text.rules.js';

interface Found {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

const CLOCK_S = 2;
const LEAST_FREE_BYTES = 1_000_000_000;

/** `belay doctor`: whether the way back would work, found out before it is needed. */
export function doctorCommand(shell: Shell): Command {
  return shell
    .command('doctor', 'looks whether everything is there that a rollback needs')
    .action((flags: Common) => shell.run(flags, examine));
}

async function examine(session: Session): Promise<Told> {
  const { world } = session;
  const looks: readonly [string, () => Promise<string>][] = [
    ['application database', () => server(world.application)],
    ['control database', () => server(world.control)],
    ['clocks', () => clocks(world)],
    ['migrations', () => migrations(world)],
    ['processes', () => processes(world)],
    ['lease', () => lease(world)],
    ['restore rights', () => restoreRights(world)],
    ['room for backups', () => room(world)],
    ['proven backup', () => provenBackup(world)],
    ['audit trail', () => auditTrail(session)],
  ];
  const found: Found[] = [];
  for (const [what, look] of looks) {
    try {
      found.push({ what, ok: true, detail: await look() });
    } catch (error) {
      found.push({ what, ok: false, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  const bad = found.filter(({ ok }) => !ok);
  const text = [
    ...found.map(({ what, ok, detail }) => `${ok ? '✓' : '✗'} ${what}: ${detail}`),
    bad.length === 0 ? 'Everything is in order.' : `${count(bad.length, 'thing')} to put right.`,
  ].join('\n');
  return { text, json: { ok: bad.length === 0, found }, ...(bad.length > 0 && { code: exitCodes.error }) };
}

async function server(pool: World['control']): Promise<string> {
  const { rows } = await pool.query<{ version: string; name: string }>(
    `SELECT current_setting('server_version') AS version, current_database() AS name`,
  );
  return `PostgreSQL ${rows[0]?.version ?? ''}, ${rows[0]?.name ?? ''}`;
}

async function clocks({ control, application }: World): Promise<string> {
  const offsets = await Promise.all(
    [control, application].map(async (pool) => {
      const asked = Date.now();
      const { rows } = await pool.query<{ ms: number }>(
        `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
      );
      return ((rows[0]?.ms ?? 0) - (asked + Date.now()) / 2) / 1_000;
    }),
  );
  const worst = Math.max(...offsets.map(Math.abs));
  if (worst > CLOCK_S) throw new Error(`a clock is ${worst.toFixed(1)} s off, more than ${CLOCK_S} s`);
  return `${worst.toFixed(3)} s apart at most`;
}

async function migrations({ targets, ledgers }: World): Promise<string> {
  const statuses = await migrationStatus(targets, ledgers);
  const pending = statuses.filter(({ state }) => state === 'pending').length;
  const changed = statuses.filter(({ build }) => build !== 'same');
  if (pending > 0) throw new Error(`${count(pending, 'migration')} not applied: belay migrate up`);
  const parked = statuses.filter(({ state }) => state === 'parked').length;
  const others = changed.length > 0 ? `, ${changed.length} not of this build` : '';
  return `${statuses.length - parked} applied, ${parked} parked${others}`;
}

async function processes({ control }: World): Promise<string> {
  const live = await liveProcesses(control);
  const of = (role: string) => live.filter((process) => process.role === role).length;
  const told = `${count(of('api'), 'API')}, ${count(of('worker'), 'worker')}`;
  return of('worker') === 0 ? `${told}: runs need --here` : told;
}

async function lease({ control }: World): Promise<string> {
  const { live, purpose, runId, epoch } = await readLease(control, 'live');
  return live ? `held for ${purpose ?? 'something'}${runId === null ? '' : ` ${runId}`}` : `free, epoch ${epoch}`;
}

/** What putting rows back takes beyond owning the tables. */
async function restoreRights(world: World): Promise<string> {
  const client = await world.connect('application', 'belay:doctor');
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL session_replication_role = replica`);
    await client.query('ROLLBACK');
    const { rows } = await client.query<{ may: boolean; role: string }>(
      `SELECT rolsuper OR rolcreatedb AS may, rolname AS role FROM pg_roles WHERE rolname = current_user`,
    );
    const [row] = rows;
    if (row?.may !== true)
      throw new Error(`${row?.role ?? 'the role'} may not create side databases: ALTER ROLE … CREATEDB`);
    return `${row.role} may restore`;
  } finally {
    await client.end();
  }
}

async function room({ runtime: { config } }: World): Promise<string> {
  const folder = config.BACKUP_DIR;
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES) throw new Error(`${folder} has only ${size(free)} left`);
  return `${size(free)} free in ${folder}${config.BACKUP_KEY === undefined ? ', not encrypted' : ''}`;
}

async function provenBackup({ control }: World): Promise<string> {
  const { rows } = await control.query<{ id: string; hours: number }>(
    `SELECT id, (extract(epoch FROM clock_timestamp() - snapshot_at) / 3600)::float8 AS hours FROM control.backup
     WHERE scope = 'application' AND state = 'proven' ORDER BY snapshot_at DESC LIMIT 1`,
  );
  const [row] = rows;
  if (!row) throw new Error('there is none of the application: belay backup create --scope application');
  return `${row.id}, ${row.hours.toFixed(1)} h old`;
}

async function auditTrail(session: Session): Promise<string> {
  const { ok, entries, broken, anchors } = await session.get(AuditReader).verify({});
  if (!ok)
    throw new Error(broken ? `entry ${broken.seq}: ${broken.reason}` : 'an anchor says otherwise: belay audit verify');
  return `${count(entries, 'entry', 'entries')}, ${count(anchors?.count ?? 0, 'anchor')}`;
}
