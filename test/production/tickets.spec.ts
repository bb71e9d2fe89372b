import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf, problem } from '@belay/platform';
import { ticketView, type TicketView } from '@belay/production';
import { z } from 'zod';
import {
  assignmentPolicies,
  edgeTypes,
  joinTypes,
  splitPolicies,
  teamCategories,
} from '../../libs/production/src/graphs/graph.rules.js';
import { nodeTypes } from '../../libs/production/src/graphs/node-type.rules.js';
import { eventTypes, holdCodes, queueReasons, tokenStatuses } from '../../libs/production/src/lifecycle/token.rules.js';
import { executions, jobLines, jobStatuses, processModes } from '../../libs/production/src/tickets/ticket.rules.js';
import { assignmentStatuses } from '../../libs/production/src/work/assignment.queries.js';
import { helpTypes, sessionStatuses } from '../../libs/production/src/work/session.queries.js';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Workshop } from './workshop.js';

const path = '/api/production/job-tickets';
const serials = z.object({
  serials: z.array(z.object({ spawnSeq: z.int(), serial: z.string(), printedAt: z.string().nullable() })),
});

let floor: Workshop;
let graph: { readonly graphId: string; readonly id: string };

beforeAll(async () => {
  floor = await Workshop.open({ config: { PRODUCTION_SERIAL_KEY: 'demo-key', PRODUCTION_MAX_PIECES: 50 } });
  graph = await floor.linear('CUT', 'SEW');
});
afterAll(() => floor.close());

const pieces = (count: number, details: Readonly<Record<string, unknown>> = {}) =>
  floor.ticket(graph, { processMode: 'piece', targetQty: count, ...details });

function change(ticket: TicketView, body: object, version = ticket.rowVersion): Promise<string> {
  return outcome(floor.admin, 'PATCH', `${path}/${ticket.id}`, body, { 'if-match': `"${version}"` });
}

function refusal(api: TestApi, body: object): Promise<string> {
  return outcome(floor.keyed(api), 'POST', path, body);
}

const draft = (details: object = {}) => ({
  siteId: floor.site.id,
  graphId: graph.graphId,
  line: 'atelier',
  processMode: 'piece',
  sku: 'TOTE12',
  targetQty: 3,
  ...details,
});

describe('planning a job', () => {
  it('pins the version of the graph that is the newest at that time', async () => {
    const ticket = await floor.ticket(graph);
    expect(ticket).toMatchObject({
      graphVersionId: graph.id,
      status: 'planned',
      attempt: null,
      paused: false,
      stage: null,
    });
    expect(await floor.tokens(ticket)).toEqual([]);
  });

  it('gives a code of the site’s day and a number, and never one that somebody has given', async () => {
    floor.now = new Date('2025-11-15T23:30:00Z');
    const first = await floor.ticket(graph);
    expect(first.code).toBe('JT2511150001');
    await floor.ticket(graph, { code: 'JT2511150002' });
    expect((await floor.ticket(graph)).code).toBe('JT2511150003');
    floor.now = null;
    expect(await refusal(floor.admin, draft({ code: 'JT2511150002' }))).toBe('409 code-taken');
  });

  it('refuses what cannot be made: no such graph, site or version, half a piece, no SKU for serials, too many', async () => {
    expect(await refusal(floor.admin, draft({ graphId: floor.site.id }))).toBe('404 graph-not-found');
    expect(await refusal(floor.admin, draft({ version: 9 }))).toBe('404 graph-not-found');
    expect(await refusal(floor.admin, draft({ siteId: graph.graphId }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ targetQty: 1.5 }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ sku: '-/-' }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ targetQty: 51 }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ targetQty: 50 }))).toBe('201');
    expect(await refusal(floor.admin, draft({ priority: 101 }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ priority: 100 }))).toBe('201');
    expect(await refusal(floor.admin, draft({ priority: -101 }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ targetQty: 0.0001, processMode: 'batch' }))).toBe('422 invalid-request');
    expect(await refusal(floor.admin, draft({ targetQty: 0.001, processMode: 'batch' }))).toBe('201');
  });

  it('is refused by a version that takes no new jobs, while those it has go on', async () => {
    const closed = await floor.linear('PACK');
    const running = await floor.ticket(closed);
    await floor.admin.patch(`/api/production/graph-versions/${closed.id}`, { allowNewJobs: false });
    expect(await refusal(floor.admin, draft({ graphId: closed.graphId }))).toBe('409 graph-version-closed');
    expect((await floor.start(running)).spawned).toBe(true);
  });

  it('asks for the permission at the site, and hides the jobs of other sites', async () => {
    const other = await newSite(floor.admin);
    const planner = await newHolder(floor.api, floor.admin, 'planner', other.id);
    const ticket = await floor.ticket(graph);
    expect(await refusal(planner, draft())).toBe('403 permission-missing');
    expect(await refusal(planner, draft({ siteId: other.id }))).toBe('201');
    expect(await outcome(planner, 'GET', `${path}/${ticket.id}`)).toBe('404 job-not-found');
    const { items } = await planner.get(path, 200, listOf(ticketView));
    expect(items.map(({ siteId }) => siteId)).toEqual([other.id]);
    const viewer = await newHolder(floor.api, floor.admin, 'viewer', floor.site.id);
    expect(await outcome(floor.keyed(viewer), 'POST', `${path}/${ticket.id}/start`, {})).toBe('403 permission-missing');
  });
});

describe('changing a job', () => {
  it('is possible in everything while it is planned, and afterwards in due date and priority', async () => {
    const ticket = await floor.ticket(graph);
    expect(await change(ticket, { targetQty: 12, notes: 'Gift', dueAt: '2026-12-24T12:00:00Z' })).toBe('200');
    expect(await change(ticket, { targetQty: 13 })).toBe('412 precondition-failed');
    await floor.start(ticket);
    const running = await floor.admin.get(`${path}/${ticket.id}`, 200, ticketView);
    expect(running).toMatchObject({
      targetQty: 12,
      notes: 'Gift',
      dueAt: '2026-12-24T12:00:00.000Z',
      status: 'in_progress',
    });
    expect(await change(running, { notes: null })).toBe('409 job-state');
    expect(await change(running, { priority: 5, dueAt: null })).toBe('200');
    const [token] = await floor.api.rows<{ priority: number }>(
      `SELECT t.priority FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
       WHERE i.job_ticket_id = $1`,
      [ticket.id],
    );
    expect(token?.priority).toBe(5);
  });

  it('cannot make the number of pieces another than that of the serials that are printed', async () => {
    const ticket = await pieces(3);
    await floor.keyed().post(`${path}/${ticket.id}/serials`, { printed: true }, 200);
    expect(await change(ticket, { targetQty: 4 })).toBe('409 serial-mismatch');
    expect(await change(ticket, { sku: '?' })).toBe('422 invalid-request');
  });
});

describe('serials', () => {
  it('are reserved once for every piece, numbered on by line, SKU and day, and are what the tokens get', async () => {
    floor.now = new Date('2025-11-15T12:00:00Z');
    const [first, second] = [await pieces(2, { sku: 'golden' }), await pieces(2, { sku: 'golden' })];
    const reserve = (ticket: TicketView, body: object = {}) =>
      floor.keyed().post(`${path}/${ticket.id}/serials`, body, 200, serials);
    const printed = await reserve(first, { qty: 2, printed: true });
    expect(await reserve(first)).toEqual(printed);
    expect(printed.serials.map(({ printedAt }) => printedAt)).toEqual(Array(2).fill('2025-11-15T12:00:00.000Z'));
    const numbers = [...printed.serials, ...(await reserve(second)).serials].map(({ serial }) => serial.slice(0, 29));
    expect(numbers).toEqual([1, 2, 3, 4].map((n) => `BLY-ATL-GOLDEN-20251115-0000${n}`));
    await floor.start(first);
    expect((await floor.tokens(first)).map(({ serial }) => serial)).toEqual(
      printed.serials.map(({ serial }) => serial),
    );
    floor.now = null;
  });

  it('are refused for another number of pieces, for a batch, and for a job that is over', async () => {
    const ticket = await pieces(3);
    const ask = async (id: string, body: object) => {
      const answer = await floor.keyed().send('POST', `${path}/${id}/serials`, body);
      return problem.parse(answer.json());
    };
    expect(await ask(ticket.id, { qty: 4 })).toMatchObject({ code: 'serial-mismatch', expected: 3, reserved: 4 });
    expect(await ask((await floor.ticket(graph)).id, {})).toMatchObject({
      code: 'job-state',
      state: 'planned',
      rowVersion: 1,
    });
    await floor.keyed().post(`${path}/${ticket.id}/cancel`, { reason: 'Wrong fabric' }, 200);
    expect(await ask(ticket.id, {})).toMatchObject({ code: 'job-state', state: 'cancelled' });
  });

  it('are never a second set: a job whose serials are not as many as its pieces is not started', async () => {
    const ticket = await pieces(3);
    await floor.keyed().post(`${path}/${ticket.id}/serials`, {}, 200);
    await floor.api.rows(`DELETE FROM production.job_serial WHERE job_ticket_id = $1 AND spawn_seq = 3`, [ticket.id]);
    expect(await outcome(floor.keyed(), 'POST', `${path}/${ticket.id}/start`, {})).toBe('409 serial-mismatch');
    expect(await floor.tokens(ticket)).toEqual([]);
    expect(await floor.admin.get(`${path}/${ticket.id}`, 200, ticketView)).toMatchObject({ status: 'planned' });
  });
});

describe('the list of jobs', () => {
  it('is narrowed down by site, line, status, due date and code, and goes on where a page ended', async () => {
    const place = await Workshop.in(floor.api);
    const made: TicketView[] = [];
    for (const dueAt of ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z']) {
      made.push(await place.ticket(graph, { dueAt, line: made.length === 0 ? 'hybrid' : 'atelier' }));
    }
    const [oldest, middle, newest] = made.map(({ id }) => id);
    const find = async (query: string) => {
      const { items, next } = await place.admin.get(
        `${path}?siteId=${place.site.id}&${query}`,
        200,
        listOf(ticketView),
      );
      return { ids: items.map(({ id }) => id), next };
    };
    expect((await find('')).ids).toEqual([newest, middle, oldest]);
    expect((await find('line=hybrid')).ids).toEqual([oldest]);
    expect((await find('dueBefore=2026-01-02T00:00:00Z')).ids).toEqual([oldest]);
    expect((await find(`code=${made[1]?.code ?? ''}`)).ids).toEqual([middle]);
    expect((await find('status=completed')).ids).toEqual([]);
    const first = await find('limit=2');
    await place.ticket(graph);
    expect((await find(`limit=2&cursor=${first.next ?? ''}`)).ids).toEqual([oldest]);
  });
});

describe('several at once', () => {
  it('get codes of their own, and serials that nobody else has', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => pieces(5, { sku: 'rush' })));
    expect(new Set(made.map(({ code }) => code)).size).toBe(8);
    const reserved = await Promise.all(
      made.flatMap(({ id }) => [id, id]).map((id) => floor.keyed().post(`${path}/${id}/serials`, {}, 200, serials)),
    );
    const all = reserved.flatMap((one) => one.serials.map(({ serial }) => serial));
    expect([all.length, new Set(all).size]).toEqual([80, 40]);
    const numbers = [...new Set(all)].map((serial) => Number(/-(\d{5})-/.exec(serial)?.[1])).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });
});

describe('what a status can be', () => {
  it('is the same in the code and in the database', async () => {
    const lists = {
      job_status_is_known: jobStatuses,
      job_line_is_known: jobLines,
      job_process_mode_is_known: processModes,
      job_execution_is_known: executions,
      token_status_is_known: tokenStatuses,
      token_hold_code_is_known: holdCodes,
      token_queue_reason_is_known: queueReasons,
      token_event_type_is_known: eventTypes,
      node_type_is_known: nodeTypes,
      edge_type_is_known: edgeTypes,
      session_status_is_known: sessionStatuses,
      session_help_type_is_known: helpTypes,
      assignment_status_is_known: assignmentStatuses,
      node_split_policy_is_known: splitPolicies,
      node_join_type_is_known: joinTypes,
      node_assignment_policy_is_known: assignmentPolicies,
      node_team_category_is_known: teamCategories,
    };
    const rules = await floor.api.rows<{ name: string; rule: string }>(
      `SELECT conname AS name, pg_get_constraintdef(oid) AS rule FROM pg_constraint
       WHERE connamespace = 'production'::regnamespace AND conname = ANY ($1) AND conislocal`,
      [Object.keys(lists)],
    );
    const known = Object.fromEntries(
      rules.map(({ name, rule }) => [name, [...rule.matchAll(/'(\w+)'::text/g)].map(([, value]) => value).toSorted()]),
    );
    expect(known).toEqual(Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.toSorted()])));
  });
});
