import { allBreaches } from './floor-invariants.js';
import type { Plant, Scenario } from './simulated-plant.js';
import type { Outcome } from './simulation.js';
import { disbelieved } from './token-model.js';

/** Waits that were foretold and came to an end, and by which part of the wait half of them were wrong at most. */
interface Kept {
  readonly promises: number;
  readonly medianErrorUntilLetIn: number | null;
  readonly medianErrorUntilBegun: number | null;
}

export interface Verdict extends Outcome, Kept {
  /** Whatever was lost, stuck, done twice or otherwise not as it must be. */
  readonly faults: readonly string[];
  readonly tokens: number;
}

/** What the database says of a simulation that is over, and what its people noted down themselves. */
export async function verdictOn(plant: Plant, scenario: Scenario, outcome: Outcome): Promise<Verdict> {
  const { api } = plant.shop;
  const { ticketIds } = outcome;
  const [sum] = await api.rows<{ live: number; open: number; completed: number; tokens: number }>(
    `SELECT count(*) FILTER (WHERE t.current_node_id IS NOT NULL)::integer AS live,
            count(*) FILTER (WHERE t.status = 'completed')::integer AS completed, count(*)::integer AS tokens,
            (SELECT count(*)::integer FROM production.job_ticket WHERE id = ANY ($1) AND status <> 'completed') AS open
     FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
     WHERE i.job_ticket_id = ANY ($1)`,
    [ticketIds],
  );
  const pieces = scenario.jobs.reduce((all, job) => all + job.pieces, 0);
  const faults = [
    ...(sum?.live === 0 && sum.open === 0 ? [] : [`stuck: ${JSON.stringify(sum)}`]),
    ...(sum?.completed === pieces ? [] : [`${sum?.completed} of ${pieces} pieces were made`]),
    ...(await unlikeNoted(plant, outcome)),
    ...(await allBreaches(api, ticketIds)).map(({ rule, id, detail }) => `${rule}: ${id} ${detail}`),
    ...(await disbelieved(api, ticketIds)),
  ];
  return { ...outcome, faults, tokens: sum?.tokens ?? 0, ...(await promisesKept(plant, ticketIds)) };
}

/** Sessions that nobody noted down, and notes of which there is no session, to the second. */
async function unlikeNoted({ shop }: Plant, { ticketIds, done }: Outcome): Promise<string[]> {
  const sessions = await shop.api.rows<{ what: string }>(
    `SELECT s.token_id || ' ' || s.node_id || ' ' || s.operator_id || ' ' || round(s.work_seconds) || ' ' || s.status AS what
     FROM production.token_work_session s JOIN production.flow_token t ON t.id = s.token_id
     JOIN production.job_graph_instance i ON i.id = t.instance_id
     WHERE i.job_ticket_id = ANY ($1)`,
    [ticketIds],
  );
  const noted = done.map(({ tokenId, nodeId, operatorId, milliseconds }) =>
    [tokenId, nodeId, operatorId, Math.round(milliseconds / 1_000), 'completed'].join(' '),
  );
  const kept = sessions.map(({ what }) => what);
  return [
    ...without(noted, kept).map((what) => `lost: ${what}`),
    ...without(kept, noted).map((what) => `never done: ${what}`),
  ];
}

/** What is in the one list more often than in the other. */
function without(one: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const what of other) left.set(what, (left.get(what) ?? 0) + 1);
  return one.filter((what) => {
    const count = left.get(what) ?? 0;
    left.set(what, count - 1);
    return count <= 0;
  });
}

async function promisesKept({ shop }: Plant, ticketIds: readonly string[]): Promise<Kept> {
  const error = (until: string) =>
    `percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(promised - ${until}) / greatest(${until}, 1))`;
  const minutes = (until: string) => `(extract(epoch FROM v.${until} - v.entered_at) / 60)::float8`;
  const [row] = await shop.api.rows<Kept & Record<string, unknown>>(
    `SELECT count(*)::integer AS promises, ${error('admitted')} AS "medianErrorUntilLetIn",
            ${error('started')} AS "medianErrorUntilBegun"
     FROM (SELECT v.estimated_wait_minutes::float8 AS promised, ${minutes('admitted_at')} AS admitted,
                  ${minutes('first_started_at')} AS started
           FROM production.token_node_visit v JOIN production.flow_token t ON t.id = v.token_id
           JOIN production.job_graph_instance i ON i.id = t.instance_id
           WHERE i.job_ticket_id = ANY ($1) AND v.estimated_wait_minutes IS NOT NULL AND v.first_started_at IS NOT NULL) p`,
    [ticketIds],
  );
  if (!row) throw new Error('The database counted nothing');
  return row;
}
