import { databaseError } from '@belay/platform';
import type { World } from '../engine/world.js';
import { BackupBroken } from '../rollback.problems.js';
import type { BackupFinding, BackupLevel } from './backup.contract.js';
import { findBackup, moveBackup, type BackupRecord } from './backup.queries.js';
import { openBackup, type OpenBackup } from './open-backup.js';
import { proveRestored } from './proof.js';
import { restoreInto, type RestoreOptions } from './restore-into.js';
import { SideDatabase } from './side-database.js';

const stateOf = ['created', 'checksummed', 'complete', 'restored', 'proven'] as const;

export interface ProofOptions extends RestoreOptions {
  /** Eight hex digits for the name of the side database; those at the end of the backup's id when absent. */
  readonly tag?: string;
}

/**
 * Looks at a backup up to the level, from the first one on, whatever was proven before; keeps what was found. A backup that
 * fails is broken for good, while what fails for other reasons (no server, no room) is thrown and changes nothing.
 */
export async function proveBackup(
  world: World,
  id: string,
  level: BackupLevel,
  options: ProofOptions = {},
): Promise<BackupRecord> {
  const proving = new Proving(world, id, options);
  const began = performance.now();
  const findings = await proving.findings(level);
  if (findings.length > 0) {
    const { state } = await findBackup(world.control, id);
    await moveBackup(world.control, id, state, 'broken', { findings });
  } else if (level >= 3) {
    const { state } = await findBackup(world.control, id);
    await moveBackup(world.control, id, state, state, { drillMs: performance.now() - began });
  }
  return findBackup(world.control, id);
}

class Proving {
  constructor(
    private readonly world: World,
    private readonly id: string,
    private readonly options: ProofOptions,
  ) {}

  async findings(level: BackupLevel): Promise<readonly BackupFinding[]> {
    if (level < 1) return [];
    const opened = await this.open();
    if (!('manifest' in opened)) return opened;
    await this.reached(1);
    if (level < 2) return [];
    const unreadable = await this.readAll(opened);
    if (unreadable.length > 0) return unreadable;
    await this.reached(2);
    return level < 3 ? [] : this.restored(opened, level);
  }

  private async open(): Promise<OpenBackup | readonly BackupFinding[]> {
    try {
      return await openBackup(this.world, this.id, this.options.signal);
    } catch (error) {
      if (error instanceof BackupBroken) return error.findings;
      throw error;
    }
  }

  /** Level 2. */
  private async readAll(backup: OpenBackup): Promise<readonly BackupFinding[]> {
    const findings: BackupFinding[] = [];
    const { tables, catalogs } = backup.manifest;
    const copied = new Set(tables.map(({ schema, table }) => `${schema}.${table}`));
    for (const name of catalogs.flatMap((catalog) => catalog.tables)) {
      if (!copied.has(name)) findings.push({ level: 2, subject: name, problem: 'was there and is not in the backup' });
    }
    for (const table of tables) {
      const problem = await backup.count(table, this.options.signal).then(
        ({ lines }) => (lines === BigInt(table.rows) ? undefined : `has ${lines} rows instead of ${table.rows}`),
        (error: unknown) => {
          this.options.signal?.throwIfAborted();
          return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
        },
      );
      if (problem !== undefined) findings.push({ level: 2, subject: table.file, problem });
    }
    return findings;
  }

  /** Levels 3 and 4. */
  private async restored(backup: OpenBackup, level: BackupLevel): Promise<readonly BackupFinding[]> {
    const { scope, database } = backup.manifest;
    const server = scope === 'control' ? 'control' : 'application';
    const tag = this.options.tag ?? this.id.slice(-8);
    const side = await SideDatabase.create(this.world, database, tag, server);
    try {
      try {
        await restoreInto(this.world, backup, side, this.options);
      } catch (error) {
        if (!blamesBackup(error)) throw error;
        return [{ level: 3, subject: 'the restore', problem: error.message }];
      }
      await this.reached(3);
      if (level < 4) return [];
      const findings = await proveRestored(this.world, backup, side, this.options.signal);
      if (findings.length === 0) await this.reached(4);
      return findings;
    } finally {
      await side.drop();
    }
  }

  /** One step on, unless it was there already. */
  private async reached(level: 1 | 2 | 3 | 4): Promise<void> {
    const { state, level: before } = await findBackup(this.world.control, this.id);
    if (before >= level) return;
    await moveBackup(this.world.control, this.id, state, stateOf[level], { level, findings: [] });
  }
}

/** The server refused what the backup brought: not its lines, its room or its patience. */
function blamesBackup(error: unknown): error is Error {
  const state = databaseError(error)?.code;
  return state !== undefined && !/^(08|53|57|58|55P03|40|25|XX)/.test(state);
}
