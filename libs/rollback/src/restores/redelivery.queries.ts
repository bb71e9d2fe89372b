import type pg from 'pg';

/** For how long before a snapshot a fact may have been published without having been consumed at it. */
const UNDER_WAY = '30 minutes';

/**
 * Facts are published again, and their queue forgets that it had them: whoever has a mark of them in the inbox does
 * nothing. Queues on Redis remember what they did for half an hour, whatever is done here.
 */
export async function deliverAgain(client: pg.ClientBase, domain: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  if (await hasQueues(client)) {
    await client.query(
      `DELETE FROM bullmq.job WHERE queue = $1 AND state = 'completed' AND id = ANY (SELECT 'event-' || u FROM unnest($2::text[]) u)`,
      [domain, ids],
    );
  }
  await client.query(
    `UPDATE platform.outbox SET published_at = NULL, attempts = 0, attempt_at = NULL WHERE id = ANY ($1::bigint[])`,
    [ids],
  );
}

/** Ids of jobs that have not been done, with what is paused; undefined where the queues are not in the database. */
export async function openWork(
  client: pg.ClientBase,
): Promise<{ readonly jobs: readonly string[]; readonly meta: readonly object[] } | undefined> {
  if (!(await hasQueues(client))) return undefined;
  const jobs = await client.query<{ id: string }>(`SELECT DISTINCT id FROM bullmq.job WHERE state <> 'completed'`);
  const meta = await client.query<{ queue: string; field: string; value: string | null }>(
    `SELECT queue, field, value FROM bullmq.meta`,
  );
  return { jobs: jobs.rows.map(({ id }) => id), meta: meta.rows };
}

/**
 * In a restored database whose queues are empty: what was under way at the snapshot, and what still is, is published
 * again. Answers how many facts that are.
 */
export async function fillQueues(
  client: pg.ClientBase,
  snapshotAt: string,
  open: { readonly jobs: readonly string[]; readonly meta: readonly object[] },
): Promise<number> {
  await client.query(
    `INSERT INTO bullmq.meta (queue, field, value)
     SELECT queue, field, value FROM jsonb_to_recordset($1) AS m (queue text, field text, value text)
     ON CONFLICT (queue, field) DO UPDATE SET value = excluded.value`,
    [JSON.stringify(open.meta)],
  );
  const { rowCount } = await client.query(
    `UPDATE platform.outbox SET published_at = NULL, attempts = 0, attempt_at = NULL
     WHERE published_at > $1::timestamptz - interval '${UNDER_WAY}'
        OR published_at IS NOT NULL AND ('event-' || id = ANY ($2::text[]) OR 'job-' || id = ANY ($2::text[]))`,
    [snapshotAt, open.jobs],
  );
  return rowCount ?? 0;
}

async function hasQueues(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('bullmq.job') IS NOT NULL AS found`);
  return rows[0]?.found === true;
}
