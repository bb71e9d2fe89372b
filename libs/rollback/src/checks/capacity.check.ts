import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { z } from 'zod';
import { freeBytes } from '../backups/backup-room.js';
import type { World } from '../engine/world.js';
import type { PlanDoc } from '../plans/plan.contract.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** Of two stages that stand beside each other, beyond what their pools take. */
const OTHER_CONNECTIONS = 6;
const LEAST_BYTES = 128 * 1024 * 1024;
/** With indexes, and the log that is written for it. */
const SIDE_FACTOR = 2;

/** What machines have left. */
interface Machine {
  readonly memoryBytes: () => Promise<number>;
  readonly freeBytes: (folder: string) => Promise<number>;
}

/** S26: there is room for a second stage, and for a side database. */
export function capacityCheckOf(machine: Machine): SafetyCheck {
  return {
    id: 'S26',
    title: 'There is room for two stages',
    severity: 'normal',
    phases: ['plan', 'start'],
    applies: () => true,

    async run({ world, plan }) {
      const [connections, memoryBytes, disk] = await Promise.all([
        freeConnections(world),
        machine.memoryBytes(),
        diskOf(world, machine),
      ]);
      const measured = { connections, memoryBytes, diskBytes: disk.bytes };
      const threshold = {
        connections: world.runtime.config.DATABASE_POOL + OTHER_CONNECTIONS,
        memoryBytes: LEAST_BYTES,
        diskBytes: await sideBytes(world, plan),
      };
      const evidence = { disk: disk.folder ?? 'of another machine, which no statement shows' };
      const short = [
        ...(connections < threshold.connections ? [connect] : []),
        ...(memoryBytes < threshold.memoryBytes ? [remember] : []),
        ...(disk.bytes !== null && disk.bytes < threshold.diskBytes ? [makeRoom(disk.folder ?? '')] : []),
      ];
      const [first, ...others] = short;
      return first ? refused(measured, threshold, [first, ...others], evidence) : passed(measured, threshold, evidence);
    },
  };
}

export const capacityCheck = capacityCheckOf({ memoryBytes: availableBytes, freeBytes });

const connect = {
  kind: 'ask',
  text: 'Somebody raises max_connections, or ends connections that nobody needs',
} as const;
const remember = { kind: 'ask', text: 'Somebody gives the machine more memory' } as const;
const makeRoom = (folder: string) =>
  ({ kind: 'ask', text: `Somebody makes room for a side database in ${folder}` }) as const;

async function freeConnections({ application }: World): Promise<number> {
  const { rows } = await application.query<{ free: number }>(
    `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS free`,
  );
  return rows[0]?.free ?? 0;
}

/** Of the server's data, when that is on this machine and may be seen; a server elsewhere does not tell. */
async function diskOf(
  { application }: World,
  machine: Machine,
): Promise<{ folder: string | null; bytes: number | null }> {
  const { rows } = await application.query(
    `SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'MEMBER') THEN current_setting('data_directory') END AS folder
     WHERE inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1'`,
  );
  const [{ folder } = { folder: null }] = z.array(z.object({ folder: z.string().nullable() })).parse(rows);
  if (folder === null) return { folder, bytes: null };
  const bytes = await machine.freeBytes(folder).catch(() => null);
  return { folder: bytes === null ? null : folder, bytes };
}

/** What side databases of the plan take at a time: that of a proof, and that which takes the place of the live one. */
async function sideBytes({ application }: World, plan: PlanDoc): Promise<number> {
  const besides = plan.steps.some(
    ({ action, input }) => action === 'database.restore' || (action === 'backup.verify' && Number(input['level']) >= 3),
  );
  if (!besides) return 0;
  if (!plan.steps.some(({ action }) => action === 'database.restore')) return SIDE_FACTOR * plan.impact.bytes;
  const { rows } = await application.query<{ bytes: string }>(
    `SELECT pg_database_size(current_database())::text AS bytes`,
  );
  return SIDE_FACTOR * Number(rows[0]?.bytes ?? 0);
}

/** What programs can still have, as Linux reckons it; elsewhere what is free. */
async function availableBytes(): Promise<number> {
  const facts = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(facts)?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1_024;
}
