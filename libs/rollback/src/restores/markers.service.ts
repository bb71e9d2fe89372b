import { randomUUIDv7 } from 'node:crypto';
import { AuditTrail, decodeCursor, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { ledgersOf, seenAtOnce } from '../actions/marker.service.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import type { MarkerQuery, MarkerView } from './marker.contract.js';

const key = z.tuple([z.string(), z.uuid()]);
const LONGEST_MS = 60_000;

const markerRow = z.object({
  id: z.string(),
  name: z.string(),
  at: z.date(),
  atText: z.string(),
  domains: z.array(z.string()),
  runId: z.string().nullable(),
});
type MarkerRow = z.infer<typeof markerRow>;

const columns = `id, name, at, at::text AS "atText", run_id AS "runId",
  ARRAY(SELECT jsonb_object_keys(facts) ORDER BY 1) AS domains`;

/** Points that rows can be taken back to. */
@Injectable()
export class Markers {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {}

  async list({ limit, cursor }: MarkerQuery): Promise<List<MarkerView>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const { rows } = await this.world.control.query(
      `SELECT ${columns} FROM control.marker
       WHERE $1::timestamptz IS NULL OR (at, id) < ($1, $2::uuid) ORDER BY at DESC, id DESC LIMIT $3`,
      [at, id, limit + 1],
    );
    return listFrom(z.array(markerRow).parse(rows), limit, (marker) => [marker.atText, marker.id], viewOf);
  }

  /** In the caller's transaction; what the domains say of themselves is asked for at once, and takes as long as they take. */
  async create(control: pg.ClientBase, by: Actor, name: string): Promise<MarkerView> {
    const { world } = this;
    const [id, runId] = [randomUUIDv7(), randomUUIDv7()];
    const signal = AbortSignal.timeout(LONGEST_MS);
    const seen = await seenAtOnce({ world, signal, sessionName: 'belay:marker', runId, actor: by.id });
    const { rows } = await control.query(
      `INSERT INTO control.marker (id, name, snapshot, at, ledger, facts)
       VALUES ($1, $2, $3::pg_snapshot, $4, $5, $6) RETURNING ${columns}`,
      [id, name, seen.snapshot, seen.at, JSON.stringify(await ledgersOf(world)), JSON.stringify(seen.facts)],
    );
    const environment = world.runtime.config.NODE_ENV;
    const entry = { actor: auditActor(by), action: 'marker.create', subject: id, environment, outcome: 'done' };
    await this.trail.append(entry, control);
    return viewOf(z.tuple([markerRow]).parse(rows)[0]);
  }
}

function viewOf({ id, name, at, domains, runId }: MarkerRow): MarkerView {
  return { id, name, at: at.toISOString(), domains, runId };
}
