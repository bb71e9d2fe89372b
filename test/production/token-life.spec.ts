import { assignment } from '@belay/assignment';
import type { Domain } from '@belay/platform';
import type { VersionItem } from '@belay/production';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventTypes } from '../../libs/production/src/lifecycle/token.rules.js';
import { allBreaches } from './floor-invariants.js';
import { drawGraphs, FloorModel } from './floor-model.js';
import { scripts, type Deed } from './floor-deeds.js';
import { disbelieved } from './token-model.js';
import { Workshop, type Worker } from './workshop.js';

const actors = 8;

interface Floor {
  readonly shop: Workshop;
  /** Half of them are served by another process. */
  readonly people: readonly Worker[];
  /** The last of them, who may everything. */
  readonly foreman: Worker;
  readonly graphs: readonly VersionItem[];
  readonly close: () => Promise<void>;
}

async function open(...domains: Domain[]): Promise<Floor> {
  const shop = await Workshop.open({}, ...domains);
  const second = await shop.api.another();
  const people = [
    ...(await shop.workers(5)),
    await shop.worker({ role: 'qc', part: { role: 'qc' } }),
    await shop.worker({ role: 'supervisor', part: { role: 'supervisor' } }),
    await shop.worker({ role: 'admin', part: { role: 'lead' } }),
  ].map((one, n) => (n % 2 === 0 ? one : { ...one, api: second.withHeaders(one.api.headers) }));
  const foreman = people.at(-1);
  if (!foreman) throw new Error('There is nobody');
  const close = async () => {
    await second.app.close();
    await shop.close();
  };
  return { shop, people, foreman, graphs: await drawGraphs(shop), close };
}

/** Histories in which all of them do what they like at once, and one then brings everything to its end. */
async function live({ shop, people, foreman, graphs }: Floor, histories: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(9), scripts, async (rounds, deeds) => {
      const floor = await FloorModel.open(shop, people, graphs);
      await floor.advance(foreman, rounds);
      await Promise.all(
        people.map(async (actor, n) => {
          for (const one of deeds[n] ?? []) await floor.perform(actor, one);
        }),
      );
      expect(await disbelieved(shop.api, floor.ticketIds)).toEqual([]);
      await floor.finish(foreman);
      expect(await allBreaches(shop.api, floor.ticketIds)).toEqual([]);
      expect(await disbelieved(shop.api, floor.ticketIds)).toEqual([]);
      const jobs = await shop.api.rows(
        `SELECT id FROM production.job_ticket WHERE id = ANY ($1) AND status NOT IN ('completed', 'cancelled')`,
        [floor.ticketIds],
      );
      expect(jobs).toEqual([]);
    }),
    { numRuns: histories, endOnFailure: true, seed: 2026 },
  );
}

describe('the life of tokens that the resolver shares out', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await open(assignment);
  });
  afterAll(() => floor.close());

  it('keeps to its rules as well, and every choice is logged once', async () => {
    await live(floor, 6);
    const { shop } = floor;
    const unlike = await shop.api.rows(
      `SELECT a.id, a.method, l.times FROM production.token_assignment a
       CROSS JOIN LATERAL (SELECT count(*)::integer AS times FROM assignment.assignment_log l
                           WHERE l.token_id = a.token_id AND l.node_id = a.node_id AND l.method = a.method
                             AND l.event IN ('assigned', 'woken', 'override') AND l.operator_id = a.operator_id) l
       WHERE a.method = 'AUTO' AND l.times = 0`,
    );
    expect(unlike).toEqual([]);
    const chosen = await shop.api.rows(`SELECT FROM production.token_assignment WHERE method = 'AUTO'`);
    expect(chosen.length).toBeGreaterThan(30);
  }, 300_000);
});

describe('the life of tokens', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await open();
  });
  afterAll(() => floor.close());

  it(`keeps to its rules after whatever ${actors} people do at once, and can always be brought to its end`, async () => {
    expect(floor.people).toHaveLength(actors);
    await live(floor, 12);
  }, 300_000);

  it('has shown everything that can happen to a token', async () => {
    const { shop, people, foreman, graphs } = floor;
    const { api } = shop;
    // Whatever may not have come about by chance.
    const model = await FloorModel.open(shop, people, graphs);
    for (const one of tour) await model.perform(foreman, one);
    await model.finish(foreman);
    const seen = await api.rows<{ type: string }>('SELECT DISTINCT type FROM production.token_event ORDER BY 1');
    expect(seen.map(({ type }) => type)).toEqual(eventTypes.filter((type) => type !== 'RESOLVER_ERROR').toSorted());
    const ways = await api.rows<{ status: string }>('SELECT DISTINCT status FROM production.flow_token ORDER BY 1');
    expect(ways.map(({ status }) => status)).toEqual(['completed', 'consumed', 'merged', 'scrapped']);
  });

  it('is looked at by rules that see what is broken', async () => {
    const { shop, people, foreman, graphs } = floor;
    const { api } = shop;
    const model = await FloorModel.open(shop, people, graphs);
    await model.advance(foreman, 2);
    expect(await allBreaches(api, model.ticketIds)).toEqual([]);
    const ofFloor = `IN (SELECT t.id FROM production.flow_token t
      JOIN production.job_graph_instance i ON i.id = t.instance_id WHERE i.job_ticket_id = ANY ($1))`;
    for (const [sql, rule] of sabotage) {
      const values = sql.includes('OF_FLOOR') ? [model.ticketIds] : [];
      await api.rows(sql.replace('OF_FLOOR', ofFloor), values);
      const rules = new Set((await allBreaches(api, model.ticketIds)).map((breach) => breach.rule));
      expect([...rules]).toContain(rule);
    }
    expect(await disbelieved(api, model.ticketIds)).not.toEqual([]);
  });
});

/** Three bags come to where two find room. */
const tour: readonly Deed[] = [
  { do: 'move', nth: 0, to: 'SEW' },
  { do: 'move', nth: 1, to: 'SEW' },
  { do: 'move', nth: 2, to: 'SEW' },
  { do: 'start', nth: 1, mode: 'own' },
  { do: 'pause', nth: 1 },
  { do: 'resume', nth: 1 },
  { do: 'complete', nth: 1 },
  { do: 'judge', nth: 1, passes: false, recut: false },
  { do: 'hold', nth: 2 },
  { do: 'release', nth: 2 },
  { do: 'adjust', nth: 2, priority: 1 },
  { do: 'scrap', nth: 0 },
  { do: 'wake' },
];

const sabotage = [
  [
    `UPDATE production.flow_token SET status = 'active' WHERE status = 'ready' AND id OF_FLOOR`,
    'a token is active exactly while somebody works on it',
  ],
  [
    `UPDATE production.flow_token SET status = 'waiting' WHERE status = 'active' AND id OF_FLOOR`,
    'what waits says for what, unless it waits for its parts',
  ],
  [
    `UPDATE production.token_node_visit SET left_at = now(), outcome = 'moved' WHERE left_at IS NULL AND token_id OF_FLOOR`,
    'a live token is on one visit, at its node; one that has ended on none',
  ],
  [
    `UPDATE production.token_work_session SET work_seconds = work_seconds + 1 WHERE token_id OF_FLOOR`,
    'work and pauses of a session are all the time it took',
  ],
  [`DELETE FROM platform.outbox WHERE name = 'production.token-event'`, 'every step is told to others once'],
] as const;
