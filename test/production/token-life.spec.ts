import type { VersionItem } from '@belay/production';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventTypes } from '../../libs/production/src/lifecycle/token.rules.js';
import { allBreaches } from './floor-invariants.js';
import { drawGraphs, FloorModel } from './floor-model.js';
import { scripts } from './floor-deeds.js';
import { disbelieved } from './token-model.js';
import { Workshop, type Worker } from './workshop.js';

const histories = 20;
const actors = 8;

describe('the life of tokens', () => {
  let shop: Workshop;
  let people: Worker[];
  let foreman: Worker;
  let graphs: VersionItem[];
  beforeAll(async () => {
    shop = await Workshop.open();
    graphs = await drawGraphs(shop);
    people = await shop.workers(5);
    people.push(await shop.worker({ role: 'qc', part: { role: 'qc' } }));
    people.push(await shop.worker({ role: 'supervisor', part: { role: 'supervisor' } }));
    foreman = await shop.worker({ role: 'admin', part: { role: 'lead' } });
    people.push(foreman);
  });
  afterAll(() => shop.close());

  it(`keeps to its rules after whatever ${actors} people do at once, and can always be brought to its end`, async () => {
    expect(people).toHaveLength(actors);
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
  }, 300_000);

  it('has shown everything that can happen to a token', async () => {
    const seen = await shop.api.rows<{ type: string }>('SELECT DISTINCT type FROM production.token_event ORDER BY 1');
    expect(seen.map(({ type }) => type)).toEqual(eventTypes.filter((type) => type !== 'RESOLVER_ERROR').toSorted());
    const ways = await shop.api.rows<{ status: string }>(
      'SELECT DISTINCT status FROM production.flow_token ORDER BY 1',
    );
    expect(ways.map(({ status }) => status)).toEqual(['completed', 'consumed', 'merged', 'scrapped']);
  });

  it('is looked at by rules that see what is broken', async () => {
    const floor = await FloorModel.open(shop, people, graphs);
    await floor.advance(foreman, 2);
    expect(await allBreaches(shop.api, floor.ticketIds)).toEqual([]);
    const ofFloor = `IN (SELECT t.id FROM production.flow_token t
      JOIN production.job_graph_instance i ON i.id = t.instance_id WHERE i.job_ticket_id = ANY ($1))`;
    for (const [sql, rule] of sabotage) {
      const values = sql.includes('OF_FLOOR') ? [floor.ticketIds] : [];
      await shop.api.rows(sql.replace('OF_FLOOR', ofFloor), values);
      const rules = new Set((await allBreaches(shop.api, floor.ticketIds)).map((breach) => breach.rule));
      expect([...rules]).toContain(rule);
    }
    expect(await disbelieved(shop.api, floor.ticketIds)).not.toEqual([]);
  });
});

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
