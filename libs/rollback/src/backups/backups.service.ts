import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { AuditTrail, decodeCursor, InvalidRequest, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { BackupNotUsable } from '../rollback.problems.js';
import type { BackupLevel, BackupQuery, BackupScope, BackupView } from './backup.contract.js';
import { findBackup, insertBackup, records, wantProof, type BackupRecord } from './backup.queries.js';

const key = z.tuple([z.string(), z.uuid()]);

/** What people ask of backups; the worker's control context does it. */
@Injectable()
export class Backups {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {}

  async list({ limit, cursor }: BackupQuery): Promise<List<BackupView>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const found = await records(
      this.world.control,
      `WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid) ORDER BY created_at DESC, id DESC LIMIT $3`,
      [at, id, limit + 1],
    );
    return listFrom(found, limit, (backup) => [backup.createdText, backup.id], viewOf);
  }

  async get(id: string): Promise<BackupView> {
    return viewOf(await findBackup(this.world.control, id));
  }

  /** In the caller's transaction: it is made once that commits. */
  async request(control: pg.ClientBase, by: Actor, scope: BackupScope, level: BackupLevel): Promise<BackupView> {
    const known = this.world.ledgers.filter(({ database }) => database === 'application').map(({ domain }) => domain);
    const unknown = scope.kind === 'domains' ? scope.domains.filter((domain) => !known.includes(domain)) : [];
    if (unknown.length > 0) {
      const detail = `there is no ${unknown.join(', ')}; there are ${known.join(', ')}`;
      throw new InvalidRequest([{ pointer: '#/scope/domains', detail }]);
    }
    const id = randomUUIDv7();
    const location = join(this.world.runtime.config.BACKUP_DIR, id);
    await insertBackup(control, { id, scope, location, runId: null, requestedBy: by.id, wanted: level });
    await this.append(control, by, 'backup.create', id);
    return viewOf(await findBackup(control, id));
  }

  /** Also one that was proven can be proven again; a drill is level 4. */
  async prove(control: pg.ClientBase, by: Actor, id: string, level: BackupLevel): Promise<BackupView> {
    const { state } = await findBackup(control, id);
    if (!(await wantProof(control, id, level))) throw new BackupNotUsable(id, state);
    await this.append(control, by, level === 4 ? 'backup.drill' : 'backup.verify', id);
    return viewOf(await findBackup(control, id));
  }

  private async append(control: pg.ClientBase, by: Actor, action: string, subject: string): Promise<void> {
    const environment = this.world.runtime.config.NODE_ENV;
    await this.trail.append({ actor: auditActor(by), action, subject, environment, outcome: 'requested' }, control);
  }
}

function viewOf(record: BackupRecord): BackupView {
  const { id, scope, domains, state, level, bytes, location, requestedBy, runId, drillMs, findings } = record;
  return {
    id,
    scope,
    domains,
    state,
    level,
    wantedLevel: record.wantedAt ? record.wantedLevel : null,
    bytes,
    location,
    snapshotAt: record.snapshotAt?.toISOString() ?? null,
    createdAt: record.createdAt.toISOString(),
    requestedBy,
    runId,
    drillAt: record.drillAt?.toISOString() ?? null,
    drillMs,
    findings,
  };
}
