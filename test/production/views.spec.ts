import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { workCenterView } from '@belay/production';
import { newSite } from '../support/people.js';
import { operation, Workshop, type TokenFacts } from './workshop.js';

const none = '00000000-0000-0000-0000-000000000000';

let floor: Workshop;
beforeAll(async () => {
  floor = await Workshop.open();
});
afterAll(() => floor.close());

async function one(view: string, id: string): Promise<Record<string, unknown>> {
  const [row] = await floor.api.rows<Record<string, unknown>>(`SELECT * FROM production.${view} WHERE id = $1`, [id]);
  return row ?? {};
}

function of(tokens: readonly TokenFacts[], node: string): TokenFacts {
  const token = tokens.find((one) => one.node === node);
  if (!token) throw new Error(`Nothing is at ${node}`);
  return token;
}

describe('what is published', () => {
  it('carries no name of a person and no text that somebody wrote', async () => {
    const columns = await floor.api.rows<{ column: string }>(
      `SELECT table_name || '.' || column_name AS column FROM information_schema.columns
       WHERE table_schema = 'production' AND table_name LIKE 'public%'
         AND column_name ~ '(note|reason_text|display|given|family|email|avatar|detail|comment|pause_reason|cancel_reason)'`,
    );
    expect(columns).toEqual([]);
    expect(await floor.api.rows(`SELECT FROM pg_views WHERE schemaname = 'production'`)).toHaveLength(13);
  });

  it('counts a piece once: while its parts are made they count, and it does not', async () => {
    const graph = await floor.parted({ parts: [operation('BODY'), operation('STRAP')] });
    const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 1 });
    await floor.start(job);
    const tokens = await floor.tokens(job);
    const counted = async () => {
      const rows = await floor.api.rows<{ node: string; counts: boolean }>(
        `SELECT node_code AS node, counts_in_wip AS counts FROM production.public_token WHERE job_ticket_id = $1 ORDER BY node_code`,
        [job.id],
      );
      return rows.filter(({ counts }) => counts).map(({ node }) => node);
    };
    expect(await counted()).toEqual(['BODY', 'STRAP']);
    const worker = await floor.worker();
    for (const verb of ['start', 'complete']) {
      await floor.keyed(worker.api).post(`/api/production/tokens/${of(tokens, 'BODY').id}/${verb}`, {}, 200);
    }
    const [group] = await floor.api.rows(
      `SELECT expected, arrived, oldest_arrival IS NOT NULL AS since FROM production.public_parallel_group WHERE parent_token_id = $1`,
      [of(tokens, 'SPLIT').id],
    );
    expect(group).toEqual({ expected: 2, arrived: 1, since: true });
    await floor.keyed().post(`/api/production/job-tickets/${job.id}/pause`, { reason: 'Lunch' }, 200);
    expect(await counted()).toEqual([]);
  });

  it('says whose a token is: the team of its assignment, or that of the assignee which does what the node asks for', async () => {
    const [general, cutting] = [await floor.newTeam(), await floor.newTeam({ teamCategory: 'cutting' })];
    const worker = await floor.worker({ team: general.id, part: { sortPriority: 0 } });
    await floor.admin.put(`/api/directory/teams/${cutting.id}/members/${worker.id}`, { sortPriority: 99 });
    const graph = await floor.linear({ ...operation('CUT'), teamCategory: 'cutting' });
    const [free, mine, ours] = await floor.pieces(graph, 3);
    if (!free || !mine || !ours) throw new Error('Three pieces were asked for');
    const assign = (token: TokenFacts, to: object) =>
      floor.keyed().post('/api/production/assignments', { tokenIds: [token.id], ...to }, 200);
    await assign(mine, { operatorId: worker.id });
    await floor.api.rows(`UPDATE production.token_assignment SET team_id = NULL WHERE token_id = $1`, [mine.id]);
    await assign(ours, { teamId: floor.team.id });
    const teamOf = async ({ id }: TokenFacts) => (await one('public_token', id))['team_id'];
    expect(await teamOf(free)).toBe(none);
    expect(await teamOf(mine)).toBe(cutting.id);
    expect(await teamOf(ours)).toBe(floor.team.id);
  });

  it('tells the limits that count: those of the work centre where there is one', async () => {
    const place = { siteId: floor.site.id, name: 'Bench', concurrencyLimit: 2 };
    const body = { code: `WC-${floor.site.code}`, ...place };
    const { id: workCenterId } = await floor.keyed().post('/api/production/work-centers', body, 201, workCenterView);
    const graph = await floor.linear(
      operation('FREE', { wipLimit: 7 }),
      operation('BENCH', { wipLimit: 7, workCenterId }),
    );
    const rows = await floor.api.rows(
      `SELECT node_code, operable, wip_limit, concurrency_limit FROM production.public_node
       WHERE graph_version_id = $1 ORDER BY node_code`,
      [graph.id],
    );
    expect(rows).toEqual([
      { node_code: 'BENCH', operable: true, wip_limit: null, concurrency_limit: 2 },
      { node_code: 'END', operable: false, wip_limit: null, concurrency_limit: null },
      { node_code: 'FREE', operable: true, wip_limit: 7, concurrency_limit: null },
      { node_code: 'START', operable: false, wip_limit: null, concurrency_limit: null },
    ]);
  });

  it('knows the working hours of the last weeks as instants, in the zone of the site and without its holidays', async () => {
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    const hours = [
      { from: '08:00', to: '12:00' },
      { from: '13:00', to: '24:00' },
    ];
    const workingHours = { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours, sat: hours, sun: hours };
    const site = await newSite(floor.admin, { timeZone: 'Asia/Kathmandu', workingHours, holidays: [day(9), day(10)] });
    const periods = await floor.api.rows<{ starts: string; ends: string }>(
      `SELECT to_char(starts_at AT TIME ZONE 'UTC', 'HH24:MI') AS starts, to_char(ends_at AT TIME ZONE 'UTC', 'HH24:MI') AS ends
       FROM production.public_working_period WHERE site_id = $1`,
      [site.id],
    );
    expect(periods).toHaveLength(2 * 36);
    expect(new Set(periods.map(({ starts, ends }) => `${starts}-${ends}`))).toEqual(
      new Set(['02:15-06:15', '07:15-18:15']),
    );
  });
});
