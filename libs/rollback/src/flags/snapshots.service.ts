import { createHash, randomUUIDv7 } from 'node:crypto';
import { AuditTrail, decodeCursor, isoInstant, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import type { Transact } from '../plans/plans.service.js';
import { snapshotView, type SnapshotFilter, type SnapshotView } from './flag.contract.js';
import { FlagBoards } from './flag-boards.service.js';

const rows = z.array(snapshotView.extend({ cursor: z.string() }));
const key = z.tuple([z.string(), z.string()]);

/** What every flag was, and why, at some moment. */
@Injectable()
export class FlagSnapshots {
  constructor(
    private readonly world: World,
    private readonly boards: FlagBoards,
    private readonly trail: AuditTrail,
  ) {}

  async take(by: Actor, reason: string, transact: Transact): Promise<SnapshotView> {
    const state = await this.boards.board();
    const id = randomUUIDv7();
    const sha256 = createHash('sha256')
      .update(canonicalize(state) ?? '')
      .digest('hex');
    const environment = this.world.runtime.config.NODE_ENV;
    return transact(async (client) => {
      const { rows: made } = await client.query<{ at: string }>(
        `INSERT INTO control.flag_snapshot (id, state, sha256) VALUES ($1, $2, $3)
         RETURNING ${isoInstant('at')} AS at`,
        [id, JSON.stringify(state), sha256],
      );
      const entry = { action: 'flag.snapshot', subject: id, environment, reason: reason || null, afterDigest: sha256 };
      await this.trail.append({ actor: auditActor(by), ...entry, outcome: 'done' }, client);
      return { id, at: made[0]?.at ?? '', sha256, state };
    });
  }

  /** Newest first. */
  async list({ limit, cursor }: SnapshotFilter): Promise<List<SnapshotView>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const found = await this.world.control.query(
      `SELECT id, ${isoInstant('at')} AS at, at::text AS cursor, sha256, state
       FROM control.flag_snapshot WHERE $1::timestamptz IS NULL OR (at, id) < ($1::timestamptz, $2::uuid)
       ORDER BY control.flag_snapshot.at DESC, id DESC LIMIT $3`,
      [at, id, limit + 1],
    );
    return listFrom(
      rows.parse(found.rows),
      limit,
      (row) => [row.cursor, row.id],
      ({ id: own, at: taken, sha256, state }) => ({ id: own, at: taken, sha256, state }),
    );
  }
}
