import { randomUUIDv7 } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail } from '@belay/platform';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { system } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { inTurn } from './backup-turn.js';
import { workOnBackup } from './backup-work.service.js';
import { insertBackup, moveBackup, records, type BackupRecord } from './backup.queries.js';
import { dumpBeside } from './host-dump.js';
import { MANIFEST, foldersOf } from './open-backup.js';
import { expiredOf } from './retention.rules.js';
import { RunbookDrills } from './runbook-drill.service.js';
import { dropLeftovers } from './side-database.js';

const POLL_MS = 1_000;
const DAY = '1 day';
const HOUR = '1 hour';
const UNFINISHED_MS = 24 * 3_600_000;

/**
 * Makes, proves and clears away backups in the worker's control context: rows say what is wanted, and timers are rows.
 * However many workers there are, one works at a time; one that dies leaves what it did to the next.
 */
@Injectable()
export class BackupUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #closing = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
    private readonly drills: RunbookDrills,
  ) {}

  onApplicationBootstrap(): void {
    this.#loop = this.loop();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  /** Everything that is due or wanted now; says whether there was anything. */
  async turn(): Promise<boolean> {
    if (!(await this.anythingToDo())) return false;
    return inTurn(this.world, async () => {
      if (await this.due('backup', DAY, '02:00')) await this.askForDaily();
      if (await this.due('backup upkeep', HOUR)) await this.clearAway();
      await this.askForDrill();
      for (const wanted of await this.wanted()) {
        await workOnBackup(this.world, this.trail, wanted, this.#closing.signal);
      }
      await this.drills.carryOutDue(this.#closing.signal);
    });
  }

  private async loop(): Promise<void> {
    const { signal } = this.#closing;
    const ending = () => signal.aborted;
    let failing = false;
    while (!ending()) {
      let worked = false;
      try {
        worked = await this.turn();
        failing = false;
      } catch (error) {
        if (!failing && !ending()) this.world.runtime.log.warn({ err: error }, 'backups are not looked after');
        failing = true;
      }
      if (!worked) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async anythingToDo(): Promise<boolean> {
    const { rows } = await this.world.control.query<{ something: boolean }>(
      `SELECT EXISTS (SELECT FROM control.backup WHERE wanted_at IS NOT NULL)
              OR (SELECT count(*) FROM control.timer WHERE name IN ('backup', 'backup upkeep') AND due_at > clock_timestamp()) < 2
              OR EXISTS (SELECT FROM control.timer WHERE name LIKE 'runbook drill %' AND due_at <= clock_timestamp())
              OR EXISTS (${undrilled}) AS something`,
    );
    return rows[0]?.something === true;
  }

  /** Whether the time has come, which it does once for all workers; a timer that is new begins to run. */
  private async due(name: string, every: string, at?: string): Promise<boolean> {
    const first =
      at === undefined
        ? `clock_timestamp() + $2::interval`
        : `date_trunc('day', clock_timestamp(), 'UTC') + $2::interval + time '${at}'`;
    const { rowCount } = await this.world.control.query(
      `WITH begun AS (
         INSERT INTO control.timer (name, due_at) VALUES ($1, ${first}) ON CONFLICT (name) DO NOTHING)
       UPDATE control.timer SET due_at = due_at + $2::interval * ceil(extract(epoch FROM clock_timestamp() - due_at) / extract(epoch FROM $2::interval))
       WHERE name = $1 AND due_at <= clock_timestamp()`,
      [name, every],
    );
    return rowCount === 1;
  }

  private async askForDaily(): Promise<void> {
    for (const kind of ['application', 'control'] as const) {
      const id = randomUUIDv7();
      const location = join(this.world.runtime.config.BACKUP_DIR, id);
      await insertBackup(this.world.control, {
        id,
        scope: { kind },
        location,
        runId: null,
        requestedBy: system.id,
        wanted: 4,
      });
    }
  }

  /** After a migration nobody knows whether the newest backup can still be restored. */
  private async askForDrill(): Promise<void> {
    await this.world.control.query(
      `UPDATE control.backup SET wanted_at = clock_timestamp(), wanted_level = 4 WHERE id IN (${undrilled})`,
    );
  }

  private wanted(): Promise<readonly BackupRecord[]> {
    return records(this.world.control, `WHERE wanted_at IS NOT NULL ORDER BY wanted_at`);
  }

  private async clearAway(): Promise<void> {
    const dropped = await dropLeftovers(this.world);
    if (dropped.length > 0)
      this.world.runtime.log.warn({ databases: dropped }, 'side databases of runs that died were dropped');
    const all = await records(this.world.control, '');
    const expired = new Set(expiredOf(all, new Date()));
    for (const backup of all.filter(({ id }) => expired.has(id))) {
      await moveBackup(this.world.control, backup.id, backup.state, 'expired');
      for (const folder of foldersOf(this.world, backup)) await rm(folder, { recursive: true, force: true });
      await rm(dumpBeside(backup.location), { force: true });
    }
    for (const backup of all.filter(({ state, createdAt }) => state === 'creating' && isOver(createdAt.getTime()))) {
      const findings = [{ level: 0, subject: 'the backup', problem: 'was never finished' }];
      await moveBackup(this.world.control, backup.id, 'creating', 'broken', { findings });
    }
    const { BACKUP_DIR, BACKUP_COPY_DIR } = this.world.runtime.config;
    for (const folder of [BACKUP_DIR, BACKUP_COPY_DIR]) if (folder !== undefined) await removeUnfinished(folder);
  }
}

/** Of backups and of drills. */
const unfinished = /^([0-9a-f-]{36}(\.[0-9a-f]{8})?(\.part)?|drill-[0-9a-f]{8})$/;

/** What an attempt that died left behind: it has no manifest, or was never given its name. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory() || !unfinished.test(entry.name)) continue;
    const { mtimeMs } = await stat(path);
    const whole =
      !entry.name.endsWith('.part') && (await stat(join(path, MANIFEST)).catch(() => undefined)) !== undefined;
    if (!whole && isOver(mtimeMs)) await rm(path, { recursive: true, force: true });
  }
}

function isOver(ms: number): boolean {
  return Date.now() - ms > UNFINISHED_MS;
}

/** The newest usable backup of the application, when a migration ran after it was last restored. */
const undrilled = `
  SELECT newest.id FROM (
    SELECT id, wanted_at, coalesce(drill_at, created_at) AS looked FROM control.backup
    WHERE scope = 'application' AND state NOT IN ('creating', 'broken', 'expired') ORDER BY snapshot_at DESC LIMIT 1) AS newest
  WHERE newest.wanted_at IS NULL AND newest.looked < (SELECT max(at) FROM control.schema_fingerprint WHERE domain <> 'control')`;
