import { latencyMs } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import type { Traffic } from './run.contract.js';
import { figuresOf } from './traffic.rules.js';

const MINUTES = 30;

const counted = z.object({
  domain: z.string(),
  later: z.boolean(),
  requests: z.number(),
  errors: z.number(),
  slots: z.array(z.number()),
});

/**
 * What every module served in the half hour before the run began and in the one after it ended, in whole minutes. A
 * side is null where nothing was asked, or not yet; figures are kept for two weeks.
 */
export async function trafficAround(
  control: pg.Pool,
  { startedAt, finishedAt }: { readonly startedAt: string | null; readonly finishedAt: string | null },
): Promise<Traffic> {
  const { rows } = await control.query(
    `WITH around AS (
       SELECT domain, minute >= date_trunc('minute', $1::timestamptz) AS later, requests, errors, slots
       FROM control.request_figure
       WHERE (minute >= date_trunc('minute', $1::timestamptz) - $3::integer * interval '1 minute'
              AND minute < date_trunc('minute', $1::timestamptz))
          OR (minute > date_trunc('minute', $2::timestamptz)
              AND minute <= date_trunc('minute', $2::timestamptz) + $3::integer * interval '1 minute')),
     placed AS (
       SELECT domain, later, place, sum(slot) AS slot FROM around, unnest(slots) WITH ORDINALITY AS s (slot, place)
       GROUP BY domain, later, place)
     SELECT domain, later, sum(requests)::float8 AS requests, sum(errors)::float8 AS errors,
            (SELECT array_agg(slot::float8 ORDER BY place) FROM placed
             WHERE placed.domain = around.domain AND placed.later = around.later) AS slots
     FROM around GROUP BY domain, later ORDER BY domain`,
    [startedAt, finishedAt, MINUTES],
  );
  const found = z.array(counted).parse(rows);
  const sideOf = (name: string, later: boolean) => {
    const side = found.find((one) => one.domain === name && one.later === later);
    return side ? figuresOf(side, latencyMs) : null;
  };
  const modules = [...new Set(found.map(({ domain }) => domain))].map((module) => ({
    module,
    before: sideOf(module, false),
    after: sideOf(module, true),
  }));
  return { minutes: MINUTES, modules };
}
