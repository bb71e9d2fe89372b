import { randomUUID } from 'node:crypto';
import { agreementView, assignment, replayView } from '@belay/assignment';
import { directory } from '@belay/directory';
import { RUNTIME, type Runtime } from '@belay/platform';
import { production } from '@belay/production';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { newHolder, newSite, outcome } from '../support/people.js';
import { operation, Workshop, type TokenFacts, type Worker } from '../production/workshop.js';

const AUTO = 'assignment_auto_choice';

describe('what was chosen', () => {
  let flags: FlagsFile;
  let shop: Workshop;
  beforeAll(async () => {
    flags = new FlagsFile([directory, production, assignment], ['enable_assignment_runtime', AUTO]);
    shop = await Workshop.open({ config: { FLAGS_FILE: flags.path } }, assignment);
  });
  afterAll(async () => {
    await shop.close();
    flags.remove();
  });

  const automatic = async (enabled: boolean) => {
    flags.set(AUTO, { enabled });
    await eventually(() => {
      const { gate } = shop.api.app.get<Runtime>(RUNTIME);
      expect(gate.featureMode(AUTO)).toBe(enabled ? 'on' : 'off');
    }, 10_000);
  };
  const plant = async (count: number) => {
    const own = await Workshop.in(shop.api);
    const { id: team } = await own.newTeam({ teamCategory: 'sewing' });
    const people: Worker[] = [];
    for (let n = 0; n < count; n += 1) people.push(await own.worker({ team }));
    const graph = await own.linear(operation('SEW', { teamCategory: 'sewing' }));
    return { own, people, graph };
  };
  const assign = (own: Workshop, token: TokenFacts | undefined, operatorId: string | undefined) =>
    outcome(own.keyed(), 'POST', '/api/production/assignments', { tokenIds: [token?.id], operatorId });
  const open = (tokens: readonly TokenFacts[]) =>
    shop.api.rows(`SELECT FROM production.token_assignment WHERE token_id = ANY ($1)`, [tokens.map(({ id }) => id)]);

  it('only for a trial is left to people, and compared with what they do', async () => {
    const { own, people, graph } = await plant(3);
    await automatic(false);
    const tokens = await own.pieces(graph, 3);
    expect(tokens.map(({ status }) => status)).toEqual(['ready', 'ready', 'ready']);
    expect(await open(tokens)).toEqual([]);

    // In turn they would have got one each.
    for (const [index, token] of tokens.slice(0, 2).entries())
      expect(await assign(own, token, people[index]?.id)).toBe('200');
    const agreement = () => shop.admin.get(`/api/assignment/agreement?graphId=${graph.graphId}`, 200, agreementView);
    expect(await agreement()).toMatchObject({ choices: 3, given: 2, agreed: 2, ratio: 1 });
    expect(await assign(own, tokens[2], people[0]?.id)).toBe('200');
    expect(await agreement()).toMatchObject({ choices: 3, given: 3, agreed: 2, ratio: 2 / 3 });
    await automatic(true);
  });

  it('for a trial leaves what was planned as it was', async () => {
    const { own, people, graph } = await plant(2);
    await automatic(false);
    const plan = { graphId: graph.graphId, nodeCode: 'SEW', assignee: { type: 'operator', id: people[1]?.id } };
    await own.keyed().post('/api/assignment/plans', plan, 201);
    expect(await open(await own.pieces(graph, 2))).toHaveLength(2);
    await automatic(true);
  });

  it('leads to the same people again, and to others by another strategy', async () => {
    const { own, people, graph } = await plant(2);
    await own.pieces(graph, 5);
    const replay = (more: string) =>
      shop.admin.get(`/api/assignment/replay?graphId=${graph.graphId}${more}`, 200, replayView);
    expect(await replay('')).toMatchObject({ choices: 5, same: 5, sigma: { then: 0.5, now: 0.5 } });
    // Who has much elsewhere is passed over by load, and not by turn.
    const elsewhere = await own.linear(operation('SEW', { teamCategory: 'sewing' }));
    const plan = { graphId: elsewhere.graphId, nodeCode: 'SEW', assignee: { type: 'operator', id: people[1]?.id } };
    await own.keyed().post('/api/assignment/plans', plan, 201);
    await own.pieces(elsewhere, 5);
    await own.pieces(graph, 4);
    expect(await replay('')).toMatchObject({ choices: 9, same: 9 });
    const inTurn = await replay('&strategy=in-turn');
    expect(inTurn.choices).toBe(9);
    expect(inTurn.same).toBeLessThan(9);
    expect(inTurn.coverage).toEqual({ decisions: 9, then: 1, now: 1 });
    expect(await replay('&until=2020-01-01T00:00:00Z')).toMatchObject({
      choices: 0,
      coverage: { decisions: 0, then: null, now: null },
      wait: { queued: { tokens: 0, minutes: null }, backlog: { known: 0, then: null, now: null } },
    });
    const stranger = await newHolder(shop.api, shop.admin, 'supervisor', (await newSite(shop.admin)).id);
    expect(await stranger.get(`/api/assignment/replay?graphId=${graph.graphId}`, 200, replayView)).toMatchObject({
      choices: 0,
    });
  });

  it('is told with how much of it somebody was found for, and how long it queued', async () => {
    const { own, people, graph } = await plant(1);
    await own.pieces(graph, 1);
    const [queuing, limited, failed, tried, taken] = Array.from({ length: 5 }, () => randomUUID());
    const entries = [
      // A token that waited for two things, and on its second visit for one.
      { token: queuing, minutes: 60, event: 'queued', wanted: 'TEAM_UNAVAILABLE' },
      { token: queuing, minutes: 50, event: 'queued', wanted: 'NO_MATCH' },
      { token: queuing, minutes: 40, event: 'woken', operator: people[0]?.id },
      { token: queuing, minutes: 30, event: 'queued', wanted: 'OPERATOR_UNAVAILABLE' },
      { token: queuing, minutes: 20, event: 'woken', operator: people[0]?.id },
      { token: limited, minutes: 10, event: 'queued', wanted: 'CONCURRENCY_LIMIT', code: 'LIMIT' },
      { token: failed, minutes: 10, event: 'resolver_error', untraced: true },
      { token: tried, minutes: 10, event: 'unassigned', code: 'SHADOW' },
      { token: taken, minutes: 10, event: 'unassigned', untraced: true },
    ];
    await shop.api.rows(
      `INSERT INTO assignment.assignment_log (token_id, node_id, method, event, tier, reason_code, reason_json, queue_reason,
                                              assigned_to_type, assigned_to_id, operator_id, created_at)
       SELECT e.token, n.id, 'AUTO', e.event, 'auto', e.code,
              CASE WHEN e.untraced THEN '{}' ELSE '{"trace": {"candidates": []}}' END::jsonb, e.wanted,
              CASE WHEN e.operator IS NOT NULL THEN 'operator' END, e.operator, e.operator, now() - make_interval(mins => e.minutes)
       FROM jsonb_to_recordset($2::jsonb) AS e (token uuid, minutes integer, event text, wanted text, code text, operator uuid, untraced boolean)
       JOIN production.routing_node n ON n.graph_version_id = $1 AND n.node_code = 'SEW'
       ORDER BY e.minutes DESC`,
      [graph.id, JSON.stringify(entries)],
    );
    const { coverage, wait } = await shop.admin.get(`/api/assignment/replay?graphId=${graph.graphId}`, 200, replayView);
    expect(coverage).toEqual({ decisions: 8, then: 3 / 8, now: 4 / 8 });
    expect(wait.queued.tokens).toBe(2);
    expect(wait.queued.minutes).toBeCloseTo((20 + 10) / 2);
  });
});
