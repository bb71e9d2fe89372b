import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Queues } from '@belay/platform';
import { production, type VersionItem } from '@belay/production';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { eventually } from '../support/eventually.js';
import { end, operation, start, Workshop } from './workshop.js';

let floor: Workshop;
let linear: VersionItem;
let worker: RunningWorker;

beforeAll(async () => {
  floor = await Workshop.open();
  linear = await floor.linear('CUT');
  worker = await startWorker({ config: floor.api.config, domains: [directory, production] });
});
afterAll(async () => {
  await worker.close();
  await floor.close();
});

let ticks = 0;

async function run(name: string): Promise<void> {
  ticks += 1;
  const data = { version: 1, requestId: 'tick', payload: { slot: new Date().toISOString() } };
  const id = `tick-${ticks}`;
  await floor.api.app.get(Queues).add('production', { id, name, data, attempts: 1, backoffMs: 1 });
}

interface Ended {
  readonly how: 'completed' | 'scrapped';
  readonly days: number;
  /** When it was written here; as long ago, unless said. */
  readonly writtenDays?: number;
  readonly graph?: VersionItem;
}

/** The tokens of a job of one piece that ended so many days ago. */
async function ended({ how, days, writtenDays = days, graph = linear }: Ended): Promise<string[]> {
  const job = await floor.ticket(graph, { processMode: 'piece', targetQty: 1 });
  await floor.start(job);
  const tokens = (await floor.tokens(job)).map(({ id }) => id);
  if (how === 'scrapped') {
    await floor.keyed().post(`/api/production/job-tickets/${job.id}/cancel`, { reason: 'Too late' }, 200);
  } else {
    const { api } = await floor.worker();
    for (const verb of ['start', 'complete']) {
      await floor.keyed(api).post(`/api/production/tokens/${tokens[0] ?? ''}/${verb}`, {}, 200);
    }
  }
  await floor.api.rows(
    `UPDATE production.token_node_visit SET entered_at = now() - make_interval(days => $2), left_at = now() - make_interval(days => $2)
     WHERE token_id = ANY ($1)`,
    [tokens, days],
  );
  await floor.api.rows(
    `UPDATE production.flow_token SET completed_at = CASE WHEN status = 'completed' THEN now() - make_interval(days => $2) END,
            created_at = now() - make_interval(days => $3) WHERE id = ANY ($1)`,
    [tokens, days, writtenDays],
  );
  return tokens;
}

const here = async (ids: readonly string[]) =>
  (await floor.api.rows<{ id: string }>(`SELECT id FROM production.flow_token WHERE id = ANY ($1)`, [ids])).map(
    ({ id }) => id,
  );

describe('what has ended', () => {
  it('goes to the archive with all that belongs to it: completed after 90 days, scrapped after 30, and never before', async () => {
    const split = await floor.graph(
      [
        start(),
        { code: 'SPLIT', name: 'Split', type: 'split' },
        operation('A'),
        operation('B'),
        { code: 'JOIN', name: 'Join', type: 'join' },
        end(),
      ],
      [
        ['START', 'SPLIT'],
        ['SPLIT', 'A'],
        ['SPLIT', 'B'],
        ['A', 'JOIN'],
        ['B', 'JOIN'],
        ['JOIN', 'END'],
      ],
    );
    const gone = [...(await ended({ how: 'completed', days: 91 })), ...(await ended({ how: 'scrapped', days: 31 }))];
    const parts = await ended({ how: 'scrapped', days: 31, graph: split });
    const kept = [
      ...(await ended({ how: 'completed', days: 89 })),
      ...(await ended({ how: 'scrapped', days: 29 })),
      ...(await ended({ how: 'completed', days: 5_000, writtenDays: 1 })),
    ];
    const running = await floor.pieces(linear, 1);
    const live = running[0]?.id ?? '';
    await floor.api.rows(`UPDATE production.flow_token SET created_at = now() - interval '400 days' WHERE id = $1`, [
      live,
    ]);
    await run('archive');
    await eventually(async () => {
      expect(await here([...gone, ...parts])).toEqual([]);
    }, 15_000);
    expect(parts).toHaveLength(3);
    const groups = `FROM production.token_parallel_group_archive WHERE parent_token_id = ANY ($1)`;
    expect(await floor.api.rows(`SELECT kind ${groups}`, [parts])).toEqual([{ kind: 'COMPONENT' }]);
    expect((await here([...kept, live])).toSorted()).toEqual([...kept, live].toSorted());
    const archived = await floor.api.rows(
      `SELECT t.status, (SELECT count(*)::integer FROM production.token_node_visit_archive v WHERE v.token_id = t.id) AS visits,
              (SELECT count(*)::integer FROM production.token_work_session_archive s WHERE s.token_id = t.id) AS sessions,
              (SELECT count(*)::integer FROM production.token_assignment_archive a WHERE a.token_id = t.id) AS assignments
       FROM production.flow_token_archive t WHERE t.id = ANY ($1) ORDER BY t.status`,
      [gone],
    );
    expect(archived).toEqual([
      { status: 'completed', visits: 3, sessions: 1, assignments: 1 },
      { status: 'scrapped', visits: 2, sessions: 0, assignments: 0 },
    ]);
    expect(await floor.api.rows(`SELECT FROM production.token_event WHERE token_id = ANY ($1)`, [gone])).not.toEqual(
      [],
    );
  });

  it('leaves the archive after three years', async () => {
    const [old = '', young = ''] = [
      ...(await ended({ how: 'completed', days: 91 })),
      ...(await ended({ how: 'completed', days: 91 })),
    ];
    await run('archive');
    await eventually(async () => {
      expect(await here([old, young])).toEqual([]);
    }, 15_000);
    for (const table of ['flow_token', 'token_node_visit', 'token_work_session', 'token_assignment']) {
      const column = table === 'flow_token' ? 'id' : 'token_id';
      await floor.api.rows(
        `UPDATE production.${table}_archive SET archived_at = now() - interval '3 years 1 day' WHERE ${column} = $1`,
        [old],
      );
      await floor.api.rows(
        `UPDATE production.${table}_archive SET archived_at = now() - interval '3 years' + interval '1 day' WHERE ${column} = $1`,
        [young],
      );
    }
    await run('archive');
    await eventually(async () => {
      const left = await floor.api.rows(`SELECT id FROM production.flow_token_archive WHERE id = ANY ($1)`, [
        [old, young],
      ]);
      expect(left).toEqual([{ id: young }]);
      expect(
        await floor.api.rows(`SELECT FROM production.token_node_visit_archive WHERE token_id = $1`, [old]),
      ).toEqual([]);
    }, 15_000);
  });
});

describe('events', () => {
  it('have a table for each of the months to come, and old months go whole, but not what was written late', async () => {
    const event = (at: string, writtenAt: string) =>
      floor.api.rows(
        `INSERT INTO production.token_event (token_id, type, event_time, created_at) VALUES (gen_random_uuid(), 'TOKEN_CREATE', $1, $2)`,
        [at, writtenAt],
      );
    for (const at of ['2019-01-15', '2019-02-15']) await floor.api.rows(`SELECT production.open_event_month($1)`, [at]);
    await event('2019-01-15', '2019-01-15');
    await event('2019-02-15', new Date().toISOString());
    await event('2020-03-15', '2020-03-15');
    const months = async () => {
      const rows = await floor.api.rows<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'token_event_%' ORDER BY 1`,
      );
      return rows.map(({ name }) => name);
    };
    const before = await months();
    expect(before.slice(0, 2)).toEqual(['token_event_2019_01', 'token_event_2019_02']);
    await run('event-months');
    await eventually(async () => {
      expect(await months()).toEqual(before.slice(1));
    }, 15_000);
    expect(before).toHaveLength(2 + 3 + 1);
    expect(await floor.api.rows(`SELECT FROM production.token_event_other`)).toEqual([]);
  });

  it('are never rewritten, nor removed before their time', async () => {
    const [token] = await floor.pieces(linear, 1);
    const id = token?.id ?? '';
    const refused = { code: 'PR001' };
    await expect(
      floor.api.rows(`UPDATE production.token_event SET type = 'SCRAP' WHERE token_id = $1`, [id]),
    ).rejects.toMatchObject(refused);
    await expect(floor.api.rows(`DELETE FROM production.token_event WHERE token_id = $1`, [id])).rejects.toMatchObject(
      refused,
    );
    await expect(floor.api.rows(`TRUNCATE production.token_event`)).rejects.toMatchObject(refused);
  });

  it('that happen in a month without a table are kept all the same, and stay where they are', async () => {
    await floor.api.rows(
      `INSERT INTO production.token_event (token_id, type, event_time) VALUES (gen_random_uuid(), 'TOKEN_CREATE', '2040-05-05')`,
    );
    await floor.api.rows(`SELECT production.open_event_month('2040-05-01')`);
    expect(await floor.api.rows(`SELECT to_regclass('production.token_event_2040_05') AS name`)).toEqual([
      { name: null },
    ]);
    expect(await floor.api.rows(`SELECT type FROM production.token_event WHERE event_time > '2040-01-01'`)).toEqual([
      { type: 'TOKEN_CREATE' },
    ]);
  });
});

describe('what came to a join', () => {
  it('is forgotten seven days after it was merged', async () => {
    const [token] = await floor.pieces(linear, 1);
    const id = token?.id ?? '';
    await floor.api.rows(
      `WITH held AS (INSERT INTO production.token_parallel_group (id, parent_token_id, split_node_id, visit_no, kind, expected_branches)
                     VALUES (gen_random_uuid(), $1, gen_random_uuid(), 1, 'FORK', 3) RETURNING id)
       INSERT INTO production.token_join_arrival (group_id, join_node_id, branch_key, branch_no, token_id, arrived_at, consumed_at)
       SELECT id, gen_random_uuid(), days::text, 1, $1, now(), now() - make_interval(days => days)
       FROM held, unnest('{6,8}'::integer[]) AS days`,
      [id],
    );
    await run('forget-arrivals');
    await eventually(async () => {
      const left = await floor.api.rows(`SELECT branch_key FROM production.token_join_arrival WHERE token_id = $1`, [
        id,
      ]);
      expect(left).toEqual([{ branch_key: '6' }]);
    }, 15_000);
  });
});
