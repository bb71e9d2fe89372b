import { graphCheck, graphView, versionItem, versionView, type GraphView } from '@belay/production';
import { Database, listOf } from '@belay/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Versions } from '../../libs/production/src/graphs/version.reader.js';
import { fresh, newHolder, newTeam, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { end, operation, start, Workshop } from './workshop.js';

const graphs = '/api/production/graphs';
const skill = { skillCode: 'KNIFE', minLevel: 1 };

describe('graphs', () => {
  let shop: Workshop;
  let manager: TestApi;
  beforeAll(async () => {
    shop = await Workshop.open();
    manager = await shop.api.as('manager');
  });
  afterAll(() => shop.close());

  const line = (details: object = {}) => ({
    code: fresh('G'),
    name: 'Bags',
    nodes: [start(), operation('CUT', { concurrencyLimit: 2 }), end()],
    edges: [
      { from: 'START', to: 'CUT' },
      { from: 'CUT', to: 'END' },
    ],
    ...details,
  });
  const draft = (body: object = line()) => shop.keyed(manager).post(graphs, body, 201, graphView);
  const publish = ({ id }: { id: string }) => shop.keyed(manager).post(`${graphs}/${id}/publish`, {}, 200, versionItem);
  const save = (graph: GraphView, body: object) =>
    manager.withHeaders({ 'if-match': `"${graph.rowVersion}"` }).put(`${graphs}/${graph.id}`, body, 200, graphView);
  const refusal = async (path: string, body: object = {}, headers: Record<string, string> = {}) => {
    const response = await shop.keyed(manager).send('POST', path, body, headers);
    return response.json<{ code: string; errors: { code: string; pointer: string }[] }>();
  };

  it('are drafted unfinished: what is missing is told and stops only the publishing', async () => {
    const graph = await draft({ code: fresh('G'), name: 'Empty' });
    const missing = ['start-node-count', 'end-node-count'];
    expect(graph).toMatchObject({ productionMode: 'hybrid', status: 'active', latestVersion: null, rowVersion: 1 });
    expect(graph.entries.map(({ code }) => code)).toEqual(missing);
    const { entries } = await manager.post(`${graphs}/${graph.id}/validate`, {}, 200, graphCheck);
    expect(entries).toEqual(graph.entries);
    const refused = await refusal(`${graphs}/${graph.id}/publish`);
    expect(refused.code).toBe('graph-invalid');
    expect(refused.errors.map(({ code }) => code)).toEqual(missing);
    expect(await shop.api.rows('SELECT FROM production.routing_graph_version WHERE graph_id = $1', [graph.id])).toEqual(
      [],
    );
  });

  it('are refused when they are none', async () => {
    const { code, errors } = await refusal(graphs, line({ edges: [{ from: 'START', to: 'NOWHERE' }] }));
    expect(code).toBe('graph-invalid');
    expect(errors).toMatchObject([{ code: 'node-unknown', pointer: '#/edges/0' }]);
  });

  it('have a code of their own', async () => {
    const { code } = await draft();
    expect(await outcome(shop.keyed(manager), 'POST', graphs, line({ code }))).toBe('409 code-taken');
    const other = await draft();
    const headers = { 'if-match': `"${other.rowVersion}"` };
    expect(await outcome(manager, 'PUT', `${graphs}/${other.id}`, line({ code }), headers)).toBe('409 code-taken');
  });

  it('are saved by whoever read them last', async () => {
    const graph = await draft();
    const saved = await save(graph, line({ code: graph.code, name: 'Totes' }));
    expect(saved).toMatchObject({ name: 'Totes', rowVersion: 2 });
    const headers = { 'if-match': '"1"' };
    expect(await outcome(manager, 'PUT', `${graphs}/${graph.id}`, line(), headers)).toBe('412 precondition-failed');
    expect(await outcome(manager, 'PUT', `${graphs}/${graph.id}`, line())).toBe('428 precondition-required');
  });

  it('are found by a part of their name, page by page', async () => {
    const name = fresh('Hats');
    const codes: string[] = [];
    for (let n = 0; n < 3; n += 1) codes.push((await draft(line({ name }))).code);
    const found = listOf(graphView.omit({ design: true, entries: true }));
    const first = await manager.get(`${graphs}?search=${name}&limit=2`, 200, found);
    const rest = await manager.get(`${graphs}?search=${name}&limit=2&cursor=${first.next}`, 200, found);
    expect([...first.items, ...rest.items].map(({ code }) => code)).toEqual(codes.toSorted());
    expect(rest.next).toBeNull();
  });

  it('take conditions as they used to be written, and refuse those that cannot be translated', async () => {
    const decided = (condition: unknown) =>
      line({
        nodes: [start(), { code: 'D', name: 'Big?', type: 'decision' }, operation('CUT'), end()],
        edges: [
          { from: 'START', to: 'D' },
          { from: 'D', to: 'CUT', type: 'conditional', condition },
          { from: 'D', to: 'END', isDefault: true },
          { from: 'CUT', to: 'END' },
        ],
      });
    const { design, entries } = await draft(decided("token.qty >= 10 AND job.line == 'oem'"));
    expect(entries).toEqual([]);
    expect(design.edges[1]?.condition).toEqual({
      groups: [
        [
          { type: 'token_property', field: 'qty', op: '>=', value: 10 },
          { type: 'job_property', field: 'line', op: '==', value: 'oem' },
        ],
      ],
    });
    const threshold = await draft(decided({ minQty: 5 }));
    expect(threshold.design.edges[1]?.condition?.groups).toHaveLength(1);
    expect(await outcome(shop.keyed(manager), 'POST', graphs, decided('qty ~ 10'))).toBe('422 invalid-request');
    const unknown = await draft(decided('token.colour == 1'));
    expect(unknown.entries.map(({ code }) => code)).toEqual(['condition-invalid']);
  });

  it.each<[string, object, number]>([
    ['300 nodes', { nodes: [start(), ...Array.from({ length: 299 }, (_, n) => operation(`O${n}`))], edges: [] }, 201],
    ['301 nodes', { nodes: [start(), ...Array.from({ length: 300 }, (_, n) => operation(`O${n}`))], edges: [] }, 422],
    ['600 edges', { edges: Array.from({ length: 600 }, () => ({ from: 'START', to: 'CUT' })) }, 201],
    ['601 edges', { edges: Array.from({ length: 601 }, () => ({ from: 'START', to: 'CUT' })) }, 422],
    ['a reason map of 50', { nodes: [start(), operation('CUT', { reasonMap: reasons(50) }), end()] }, 201],
    ['a reason map of 51', { nodes: [start(), operation('CUT', { reasonMap: reasons(51) }), end()] }, 422],
    ['a skill asked for twice', { nodes: [start(), operation('CUT', { requiredSkills: [skill, skill] }), end()] }, 422],
    [
      'a subgraph, which is not there yet',
      { nodes: [start(), { code: 'S', name: 'S', type: 'subgraph' }, end()] },
      422,
    ],
  ])('%s', async (_name, details, status) => {
    const edges = [{ from: 'START', to: 'CUT' }];
    await shop.keyed(manager).post(graphs, line({ edges, ...details }), status);
  });

  it('name teams that work', async () => {
    const team = await newTeam(shop.admin, shop.site.id);
    const wanted = line({ nodes: [start(), operation('CUT', { preferredTeamId: team.id }), end()] });
    const graph = await draft(wanted);
    expect(graph.entries).toEqual([]);
    await shop.api.rows('UPDATE directory.team SET active = false WHERE id = $1', [team.id]);
    const { errors } = await refusal(`${graphs}/${graph.id}/publish`);
    expect(errors).toMatchObject([{ code: 'invalid-team-reference', pointer: '#/nodes/1' }]);
  });

  describe('published', () => {
    it('are versions that hold everything that was drawn', async () => {
      const team = await newTeam(shop.admin, shop.site.id);
      const cut = operation('CUT', {
        estimatedMinutes: 2.5,
        estimateBasis: 'fixed',
        preferredTeamId: team.id,
        allowedTeamIds: [team.id],
        requiredSkills: [{ skillCode: 'KNIFE', minLevel: 2 }],
        qcPolicy: { allowScrap: true },
      });
      const graph = await draft(line({ nodes: [start(), cut, end()] }));
      const version = await publish(graph);
      expect(version).toMatchObject({ graphId: graph.id, version: 1, status: 'published', allowNewJobs: true });
      const shown = await manager.get(`/api/production/graph-versions/${version.id}`, 200, versionView);
      expect(shown.nodes).toMatchObject([
        { code: 'START', type: 'start', operable: false },
        { code: 'CUT', type: 'operation', operable: true, estimatedMinutes: 2.5, teamCategory: 'general' },
        { code: 'END', type: 'end', operable: false },
      ]);
      expect(shown.edges).toMatchObject([
        { from: 'START', to: 'CUT', type: 'normal' },
        { from: 'CUT', to: 'END', type: 'normal' },
      ]);
      const rows = await shop.api.rows(
        `SELECT n.estimate_basis, n.preferred_team_id, n.allowed_team_ids, n.qc_policy, s.skill_code, s.min_level, s.is_required
         FROM production.routing_node n JOIN production.node_required_skill s ON s.node_id = n.id
         WHERE n.graph_version_id = $1`,
        [version.id],
      );
      expect(rows).toEqual([
        {
          estimate_basis: 'fixed',
          preferred_team_id: team.id,
          allowed_team_ids: [team.id],
          qc_policy: expect.objectContaining({ allowScrap: true, selfQcAllowed: true }),
          skill_code: 'KNIFE',
          min_level: 2,
          is_required: true,
        },
      ]);
    });

    it('are announced once, however often the same draft is published, also at the same time', async () => {
      const graph = await draft();
      const versions = await Promise.all(Array.from({ length: 5 }, () => publish(graph)));
      expect(new Set(versions.map(({ id }) => id)).size).toBe(1);
      const facts = await shop.api.rows(
        `SELECT body FROM platform.outbox WHERE name = 'production.graph-published' AND body ->> 'graphId' = $1`,
        [graph.id],
      );
      const [version] = versions;
      expect(facts).toEqual([
        { body: { graphId: graph.id, graphVersionId: version?.id, code: graph.code, version: 1 } },
      ]);
    });

    it('stay as they are when the draft goes on', async () => {
      const graph = await draft();
      const first = await publish(graph);
      const before = await manager.get(`/api/production/graph-versions/${first.id}`, 200, versionView);
      await save(graph, line({ code: graph.code, nodes: [start(), operation('CUT', { name: 'Slice' }), end()] }));
      const second = await publish(graph);
      expect(second.version).toBe(2);
      expect(await manager.get(`/api/production/graph-versions/${first.id}`, 200, versionView)).toEqual(before);
      const { items } = await manager.get(`${graphs}/${graph.id}/versions`, 200, listOf(versionItem));
      expect(items.map(({ version }) => version)).toEqual([2, 1]);
    });

    it('are never rewritten, not in SQL either', async () => {
      const { id } = await publish(await draft());
      for (const sql of [
        `UPDATE production.routing_graph_version SET payload = '{}' WHERE id = $1`,
        `UPDATE production.routing_node SET name = 'x' WHERE graph_version_id = $1`,
        `DELETE FROM production.routing_edge WHERE graph_version_id = $1`,
        `DELETE FROM production.routing_graph_version WHERE id = $1`,
      ]) {
        await expect(shop.api.rows(sql, [id])).rejects.toThrow('is never rewritten');
      }
    });

    it('are read once, the two hundred that were asked for last', async () => {
      const { graphId } = await publish(await draft());
      const made = await shop.api.rows<{ id: string }>(
        `WITH v AS (
           INSERT INTO production.routing_graph_version (id, graph_id, version, payload, checksum, published_at, published_by)
           SELECT gen_random_uuid(), $1, 1 + n, '{}', '', now(), $1 FROM generate_series(1, 201) n RETURNING id)
         INSERT INTO production.routing_node (id, graph_version_id, node_code, name, node_type, production_mode, sequence_no)
         SELECT gen_random_uuid(), v.id, 'START', 'Start', 'start', 'hybrid', 1 FROM v RETURNING graph_version_id AS id`,
        [graphId],
      );
      const versions = shop.api.app.get(Versions);
      const { manager: on } = shop.api.app.get(Database);
      const get = (n: number) => versions.get(on, made[n]?.id ?? '');
      const [first, second] = [await get(0), await get(1)];
      for (let n = 2; n < 200; n += 1) await get(n);
      expect(await get(0)).toBe(first);
      await get(200);
      expect(await get(0)).toBe(first);
      expect(await get(1)).not.toBe(second);
    });

    it('are closed for new jobs, opened again and retired', async () => {
      const { id } = await publish(await draft());
      const path = `/api/production/graph-versions/${id}`;
      expect(await manager.patch(path, { allowNewJobs: false }, 200, versionItem)).toMatchObject({
        status: 'published',
        allowNewJobs: false,
      });
      expect(await manager.patch(path, { allowNewJobs: true, status: 'retired' }, 200, versionItem)).toMatchObject({
        status: 'retired',
        allowNewJobs: true,
      });
    });

    it('take no new jobs once the graph is archived, which can neither be saved nor published any more', async () => {
      const graph = await draft();
      const { id } = await publish(graph);
      const archived = await shop.keyed(manager).post(`${graphs}/${graph.id}/archive`, {}, 200, graphView);
      expect(archived.status).toBe('archived');
      const again = await shop.keyed(manager).post(`${graphs}/${graph.id}/archive`, {}, 200, graphView);
      expect(again).toEqual(archived);
      const { items } = await manager.get(`${graphs}/${graph.id}/versions`, 200, listOf(versionItem));
      expect(items).toMatchObject([{ id, status: 'retired', allowNewJobs: false }]);
      expect(await outcome(shop.keyed(manager), 'POST', `${graphs}/${graph.id}/publish`, {})).toBe(
        '409 graph-archived',
      );
      const headers = { 'if-match': `"${archived.rowVersion}"` };
      expect(await outcome(manager, 'PUT', `${graphs}/${graph.id}`, line(), headers)).toBe('409 graph-archived');
      const path = `/api/production/graph-versions/${id}`;
      expect(await outcome(manager, 'PATCH', path, { status: 'published' })).toBe('409 graph-archived');
    });
  });

  it('that nobody knows are not found', async () => {
    const nobody = '0199aaaa-0000-7000-8000-000000000000';
    expect(await outcome(manager, 'GET', `${graphs}/${nobody}`)).toBe('404 graph-not-found');
    expect(await outcome(manager, 'GET', `${graphs}/${nobody}/versions`)).toBe('404 graph-not-found');
    expect(await outcome(shop.keyed(manager), 'POST', `${graphs}/${nobody}/publish`, {})).toBe('404 graph-not-found');
    expect(await outcome(shop.keyed(manager), 'POST', `${graphs}/${nobody}/archive`, {})).toBe('404 graph-not-found');
    expect(await outcome(manager, 'GET', `/api/production/graph-versions/${nobody}`)).toBe('404 graph-not-found');
    expect(await outcome(manager, 'PATCH', `/api/production/graph-versions/${nobody}`, {})).toBe('404 graph-not-found');
  });

  it('are drawn by planners, who publish nothing, and read by everybody who works', async () => {
    const graph = await draft();
    const planner = await shop.api.as('planner');
    const operator = await newHolder(shop.api, shop.admin, 'operator', shop.site.id);
    expect(await outcome(shop.keyed(planner), 'POST', graphs, line())).toBe('201');
    expect(await outcome(shop.keyed(planner), 'POST', `${graphs}/${graph.id}/publish`, {})).toBe(
      '403 permission-missing',
    );
    expect(await outcome(operator, 'GET', `${graphs}/${graph.id}`)).toBe('200');
    expect(await outcome(shop.keyed(operator), 'POST', graphs, line())).toBe('403 permission-missing');
  });
});

function reasons(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`reason ${n}`, 'CUT']));
}
