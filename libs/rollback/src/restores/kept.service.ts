import { decodeCursor, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { World } from '../engine/world.js';
import type { KeptQuery, KeptView } from './kept.contract.js';

const key = z.tuple([z.string(), z.uuid()]);

const keptRow = z.object({
  id: z.string(),
  how: z.enum(['parked', 'failed']),
  kind: z.string(),
  object: z.string(),
  domain: z.string().nullable(),
  rows: z.coerce.number().nullable(),
  bytes: z.coerce.number().nullable(),
  keptAt: z.date(),
  atText: z.string(),
  purgeAfter: z.date(),
  runId: z.string().nullable(),
});

/** Whatever was put aside until somebody takes it back or purges it. */
@Injectable()
export class Kept {
  constructor(private readonly world: World) {}

  async list({ limit, cursor }: KeptQuery): Promise<List<KeptView>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const { rows } = await this.world.control.query(
      `SELECT id, how, kind, object, domain, rows, bytes, at AS "keptAt", at::text AS "atText",
              purge_after AS "purgeAfter", run_id AS "runId"
       FROM (SELECT id, 'parked' AS how, kind, object, domain, rows, bytes, parked_at AS at, purge_after, run_id
             FROM control.parked_object WHERE taken_back_at IS NULL AND purged_by IS NULL
             UNION ALL
             SELECT id, 'failed', kind, object, domain, NULL, bytes, kept_at, purge_after, run_id
             FROM control.failed_copy WHERE taken_back_at IS NULL AND purged_by IS NULL) kept
       WHERE $1::timestamptz IS NULL OR (at, id) < ($1, $2::uuid) ORDER BY at DESC, id DESC LIMIT $3`,
      [at, id, limit + 1],
    );
    return listFrom(z.array(keptRow).parse(rows), limit, (row) => [row.atText, row.id], viewOf);
  }
}

function viewOf({
  id,
  how,
  kind,
  object,
  domain,
  rows,
  bytes,
  keptAt,
  purgeAfter,
  runId,
}: z.infer<typeof keptRow>): KeptView {
  const [kept, purge] = [keptAt.toISOString(), purgeAfter.toISOString()];
  return { id, how, kind, object, domain, rows, bytes, keptAt: kept, purgeAfter: purge, runId };
}
