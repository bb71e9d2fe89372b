import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { openBackup } from '../backups/open-backup.js';
import type { Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { namesOf } from './database-names.queries.js';
import { writesSince } from './writes-since.queries.js';
import { lookAtDomain } from './domain-swap.service.js';
import { asJson } from './effect.service.js';
import { compareKeptRows } from './kept-rows.service.js';
import { planMarkedRows } from './marked-rows.service.js';
import { restorePreview, type PreviewRestore, type RestorePreview } from './restore-preview.contract.js';

const LONGEST_MS = 120_000;

/** What a restore would change, found out without changing anything: it is carried out by plans alone. */
@Injectable()
export class Restores {
  constructor(private readonly world: World) {}

  async preview(by: Actor, asked: PreviewRestore): Promise<RestorePreview> {
    return restorePreview.parse({ path: asked.path, ...(await this.difference(by, asked)) });
  }

  private async difference(by: Actor, asked: PreviewRestore): Promise<object> {
    const { world } = this;
    const signal = AbortSignal.timeout(LONGEST_MS);
    const ctx = { world, signal, sessionName: 'belay:preview', runId: randomUUIDv7(), actor: by.id };
    switch (asked.path) {
      case 'R2': {
        const { hash, ...plan } = await planMarkedRows(ctx, { ...asked, planHash: null });
        return { planHash: hash, ...asJson(plan) };
      }
      case 'R3':
        return compareKeptRows(ctx, asked);
      case 'R4': {
        const { dependents, refusals, rows, tables: names } = await lookAtDomain(ctx, asked);
        const whole = { ...asked, failedSchema: null, failedDatabase: null, tables: names };
        const { tables } = refusals.length > 0 ? { tables: [] } : await compareKeptRows(ctx, whole);
        return { tables, dependents: dependents.views.map(({ name }) => name), refusals, rows };
      }
      case 'R5': {
        const { manifest } = await openBackup(world, asked.backupId, signal);
        const lost = await writesSince(ctx, namesOf(ctx).live, manifest.snapshot, manifest.snapshotAt);
        return { snapshotAt: manifest.snapshotAt, ...lost, leftOut: manifest.leftOut };
      }
    }
  }
}
