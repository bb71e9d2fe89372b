import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment, logEntry, type LogEntry } from '@belay/assignment';
import { Database, listOf } from '@belay/platform';
import type { VersionItem } from '@belay/production';
import { parse } from 'csv-parse/sync';
import { RunningJob } from '../../libs/platform/src/jobs/running-job.js';
import { RetentionProcessor } from '../../libs/assignment/src/retention.processor.js';
import { newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Workshop, type Worker } from '../production/workshop.js';

const path = '/api/assignment/log';

describe('the log of assignment', () => {
  let shop: Workshop;
  let manager: TestApi;
  let graph: VersionItem;
  let workers: Worker[];
  beforeAll(async () => {
    shop = await Workshop.open({}, assignment);
    manager = await newHolder(shop.api, shop.admin, 'manager', shop.site.id);
    graph = await shop.linear('SEW');
    workers = await shop.workers(2);
  });
  afterAll(() => shop.close());

  const read = async (query: string, api = manager): Promise<LogEntry[]> =>
    (await api.get(`${path}?${query}`, 200, listOf(logEntry))).items;

  it('says of each token who got it and why, newest first, and is found by whatever it is about', async () => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: 4 });
    await shop.start(ticket);
    const tokens = await shop.tokens(ticket);
    const entries = await read(`jobTicketId=${ticket.id}`);
    expect(entries).toHaveLength(4);
    expect(new Set(entries.map(({ tokenId }) => tokenId))).toEqual(new Set(tokens.map(({ id }) => id)));
    for (const { method, event, tier, operatorId, reasonCode, reason, latencyMs, actorId } of entries) {
      expect([method, event, tier]).toEqual(['AUTO', 'assigned', 'auto']);
      expect(workers.map(({ id }) => id)).toContain(operatorId);
      expect(reasonCode).toMatch(/^AUTO_/);
      expect(Object.keys(reason).length).toBeGreaterThan(0);
      expect(latencyMs).toBeGreaterThanOrEqual(0);
      expect(actorId === null || typeof actorId === 'string').toBe(true);
    }
    expect(entries.map(({ at }) => at)).toEqual(
      entries
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    const [one] = entries;
    if (!one) throw new Error('There is an entry');
    const found = async (query: string) => (await read(`jobTicketId=${ticket.id}&${query}`)).length;
    const by = entries.filter(({ operatorId }) => operatorId === one.operatorId).length;
    expect(await found(`operatorId=${one.operatorId ?? ''}`)).toBe(by);
    expect(await found(`tokenId=${one.tokenId ?? ''}`)).toBe(1);
    expect(await found(`nodeId=${one.nodeId ?? ''}&method=AUTO&event=assigned`)).toBe(4);
    expect(await found('method=PIN')).toBe(0);
    expect(await found(`from=${new Date(Date.now() - 60_000).toISOString()}`)).toBe(4);
    expect(await found(`until=${new Date(Date.now() - 3_600_000).toISOString()}`)).toBe(0);
  });

  it('comes in pages of at most 100 that neither repeat nor leave out', async () => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: 7 });
    await shop.start(ticket);
    const ids: string[] = [];
    let query = `jobTicketId=${ticket.id}&limit=3`;
    for (;;) {
      const page = await manager.get(`${path}?${query}`, 200, listOf(logEntry));
      ids.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      query = `jobTicketId=${ticket.id}&limit=3&cursor=${page.next}`;
    }
    expect(ids).toHaveLength(7);
    expect(new Set(ids).size).toBe(7);
    expect(await outcome(manager, 'GET', `${path}?limit=100`)).toBe('200');
    expect(await outcome(manager, 'GET', `${path}?limit=101`)).toBe('422 invalid-request');
  });

  it('is a file for who may export it, with every entry and its reason, however many there are', async () => {
    const ticket = await shop.ticket(graph);
    await shop.api.rows(
      `INSERT INTO assignment.assignment_log (job_ticket_id, method, event, reason_json, created_at)
       SELECT $1, 'AUTO', 'queued', jsonb_build_object('why', 'a "comma", and a quote', 'n', n), now() - make_interval(secs => n)
       FROM generate_series(1, 2500) AS n`,
      [ticket.id],
    );
    const file = await manager.send('GET', `${path}.csv?jobTicketId=${ticket.id}`);
    expect([file.statusCode, file.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    const rows: Record<string, string>[] = parse(file.body, { columns: true, record_delimiter: '\r\n' });
    expect(rows).toHaveLength(2_500);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(2_500);
    expect(JSON.parse(rows[0]?.['reason'] ?? '{}')).toEqual({ why: 'a "comma", and a quote', n: 1 });
    const supervisor = await newHolder(shop.api, shop.admin, 'supervisor', shop.site.id);
    expect(await outcome(supervisor, 'GET', path)).toBe('200');
    expect(await outcome(supervisor, 'GET', `${path}.csv`)).toBe('403 permission-missing');
  });

  it('shows the jobs of one’s own sites only', async () => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: 1 });
    await shop.start(ticket);
    const elsewhere = await newHolder(shop.api, shop.admin, 'manager', (await newSite(shop.admin)).id);
    expect(await read(`jobTicketId=${ticket.id}`)).toHaveLength(1);
    expect(await read(`jobTicketId=${ticket.id}`, elsewhere)).toEqual([]);
    expect(await outcome(workers[0]?.api ?? manager, 'GET', path)).toBe('403 permission-missing');
  });

  it('is never rewritten, by nobody; the role of the application may only add and read', async () => {
    const refused = async (sql: string) =>
      shop.api.rows(sql).then(
        () => 'done',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    expect(await refused(`UPDATE assignment.assignment_log SET method = 'PIN'`)).toMatch('never rewritten');
    expect(await refused(`DELETE FROM assignment.assignment_log`)).toMatch('never rewritten');
    expect(await refused(`TRUNCATE assignment.assignment_log`)).toMatch('never emptied');
    const asApp = (sql: string) => refused(`SET ROLE belay_app; ${sql}; RESET ROLE`);
    expect(await asApp(`INSERT INTO assignment.assignment_log (method, event) VALUES ('AUTO', 'queued')`)).toBe('done');
    expect(await asApp(`DELETE FROM assignment.assignment_log`)).toMatch('permission denied');
  });

  it('has its months made ahead, and lets go of what is older than 13 of them, and of leave after 24', async () => {
    const now = new Date();
    const monthsAgo = (months: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 15));
    const write = (at: Date) =>
      shop.api.rows(`INSERT INTO assignment.assignment_log (method, event, created_at) VALUES ('SKIP', 'queued', $1)`, [
        at,
      ]);
    await shop.api.rows(`SELECT assignment.make_log_months($1::date, 2)`, [monthsAgo(14)]);
    for (const months of [15, 14, 13, 12]) await write(monthsAgo(months));
    const leave = (months: number) =>
      shop.api.rows(
        `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, created_by)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'other', tstzrange($1::timestamptz - interval '1 day', $1), gen_random_uuid())`,
        [monthsAgo(months)],
      );
    for (const months of [25, 24, 23]) await leave(months);
    const retention = new RetentionProcessor(shop.api.app.get(Database));
    const facts = { id: 'test', domain: 'assignment', name: 'retention', attempt: 1, requestId: 'retention' };
    const job = new RunningJob({ ...facts, signal: new AbortController().signal }, () => true);
    await retention.makeMonths(now, job);
    await retention.letGo(now, job);
    await retention.letGo(now, job);
    const left = await shop.api.rows<{ months: number }>(
      `SELECT (extract(year FROM age) * 12 + extract(month FROM age))::int AS months
       FROM (SELECT age(date_trunc('month', now(), 'UTC'), date_trunc('month', created_at, 'UTC')) AS age
             FROM assignment.assignment_log WHERE method = 'SKIP') a ORDER BY 1`,
    );
    expect(left.map(({ months }) => months)).toEqual([12, 13]);
    const [leaves] = await shop.api.rows(`SELECT count(*)::int AS left FROM assignment.leave_request`);
    expect(leaves).toEqual({ left: 2 });
    const parts = await shop.api.rows<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'assignment.assignment_log'::regclass`,
    );
    const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 15)).toISOString();
    const named = parts.map(({ name }) => name.replace('assignment.', ''));
    expect(named).toContain(`assignment_log_${next.slice(0, 7).replace('-', '')}`);
    expect(named).not.toContain(`assignment_log_${monthsAgo(14).toISOString().slice(0, 7).replace('-', '')}`);
  });
});
