import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { z } from 'zod';
import { productionCommand } from '../../apps/cli/src/production/production.command.js';
import { invariants, nightly } from '../../libs/production/src/work/health-check.queries.js';
import { HealthService } from '../../libs/production/src/work/health.service.js';
import { outcome } from '../support/people.js';
import { unexplained } from './history.js';
import { Workshop } from './workshop.js';

const report = z.object({
  rows: z.int(),
  steps: z.int(),
  refused: z.record(z.string(), z.int()),
  duplicates: z.int(),
  cases: z.int(),
  activities: z.int(),
  machines: z.int(),
  workers: z.int(),
  parts: z.int(),
  orderedQty: z.number(),
  hours: z.number(),
  rework: z.int(),
  taken: z.object({ jobs: z.int(), knownJobs: z.int(), visits: z.int(), overlaps: z.int() }).optional(),
});

const header =
  'Row,Case ID,Activity,Resource,Start Timestamp,Complete Timestamp,Span,Work Order Qty,Part Desc.,Worker ID,Report Type,Qty Completed,Qty Rejected,Qty for MRB,Rework,Timestamp Source';

// Written down as such logs are: a double space in a name, one row twice, two at once, one without time, one read wrongly.
const rows = [
  '1,Case 1,Turning - Machine 4,Machine 4,2012-01-29 23:24:00,2012-01-30 05:43:00,006:19,10,Cable Head,ID4932,S,1,0,0,,exact',
  '2,Case 1,Turning  - Machine 4,Machine 4,2012-01-30 05:44:00,2012-01-30 06:42:00,000:58,10,Cable Head,ID4932,D,8,2,0,,exact',
  '3,Case 1,Lapping - Machine 1,Machine 1,2012-01-30 06:00:00,2012-01-30 07:00:00,001:00,10,Cable Head,ID4167,D,8,0,0,,minutes',
  '4,Case 1,Final Q.C.,Quality Check 1,,,000:15,10,Cable Head,ID4167,D,8,0,0,,',
  '5,Case 1,Turning - Machine 4,Machine 4,2012-01-30 09:00:00,2012-01-30 10:00:00,001:00,10,Cable Head,ID4932,D,1,0,1,Y,exact',
  '6,Case 7,Turning - Machine 4,Machine 4,2012-02-29 08:00:00,2012-02-29 08:30:00,000:30,3,Spindle,ID4932,B,0,0,0,,exact',
  '7,Case 7,Final Q.C.,Quality Check 1,2012-02-29 09:00:00,2012-02-29 10:00:00,001:00,3,Spindle,ID4167,D,3,0,0,,exact',
  '8,Case 7,Final Q.C.,Quality Check 1,2012-02-29 09:00:00,2012-02-29 10:00:00,001:00,3,Spindle,ID4167,D,3,0,0,,exact',
  '9,Case 7,Final Q.C.,Quality Check 1,2012-02-29 12:00:00,2012-02-29 11:00:00,001:00,3,Spindle,ID4167,D,3,0,0,,exact',
  '10,Case 7,Final Q.C.,Quality Check 1,2012-02-29 12:00:00,24:00.0,001:00,3,Spindle,ID4167,D,3,0,0,,exact',
];

let floor: Workshop;
let folder: string;
let url: string;

beforeAll(async () => {
  floor = await Workshop.open();
  folder = await mkdtemp(join(tmpdir(), 'belay-log-'));
  await floor.api.app.listen(0, '127.0.0.1');
  url = await floor.api.app.getUrl();
});
afterAll(async () => {
  await floor.close();
  await rm(folder, { recursive: true });
});

async function run(file: string, ...options: string[]): Promise<string> {
  let told = '';
  const command = productionCommand((text) => {
    told += text;
  });
  const token = String(floor.admin.headers['authorization']).slice('Bearer '.length);
  const place = ['--site', floor.site.code, '--offset', '-05:00', '--url', url, '--token', token];
  await command.parseAsync(['import-log', file, ...place, ...options], { from: 'user' });
  return told;
}

const told = async (file: string, ...options: string[]) =>
  report.parse(JSON.parse(await run(file, '--json', ...options)));

describe('belay production import-log', () => {
  it('takes what can be taken of a log as history, and says what not', async () => {
    const file = join(folder, 'log.csv');
    await writeFile(file, [header, ...rows].join('\n'));
    const first = await told(file, '--name', 'OLD');
    expect(first).toEqual({
      rows: 10,
      steps: 7,
      refused: { 'no-time': 1, 'ends-before-it-starts': 1, unreadable: 1 },
      duplicates: 1,
      cases: 2,
      activities: 3,
      machines: 3,
      workers: 2,
      parts: 2,
      orderedQty: 13,
      hours: 11.8,
      rework: 1,
      taken: { jobs: 2, knownJobs: 0, visits: 7, overlaps: 2 },
    });
    expect((await told(file, '--name', 'OLD')).taken).toEqual({ jobs: 0, knownJobs: 2, visits: 0, overlaps: 2 });
    expect(await run(file, '--check')).toContain(
      'Not taken: 3; no-time: 1; ends-before-it-starts: 1; unreadable: 1. Told twice: 1.',
    );
  });

  it('keeps it as it was: jobs and tokens that are over, visits and sessions with their time, events in the past', async () => {
    const visits = await floor.api.rows(
      `SELECT n.node_code AS node, v.visit_no AS no, to_char(v.entered_at AT TIME ZONE 'UTC', 'DD HH24:MI') AS entered,
              to_char(v.first_started_at AT TIME ZONE 'UTC', 'DD HH24:MI') AS started, v.outcome, s.work_seconds::float8 / 60 AS work,
              s.pause_seconds::float8 / 60 AS pause, a.username
       FROM production.token_node_visit v
       JOIN production.routing_node n ON n.id = v.node_id
       JOIN production.token_work_session s ON s.token_id = v.token_id AND s.started_at = v.first_started_at AND s.ended_at = v.left_at
       JOIN directory.account a ON a.id = s.operator_id
       JOIN production.flow_token t ON t.id = v.token_id
       JOIN production.job_graph_instance i ON i.id = t.instance_id
       JOIN production.job_ticket j ON j.id = i.job_ticket_id
       WHERE j.code = 'OLD-Case 1' ORDER BY v.first_started_at`,
    );
    expect(visits).toEqual([
      {
        node: 'TURNING-MACHINE-4',
        no: 1,
        entered: '30 04:24',
        started: '30 04:24',
        outcome: 'moved',
        work: 379,
        pause: 0,
        username: 'old-id4932',
      },
      {
        node: 'TURNING-MACHINE-4',
        no: 2,
        entered: '30 10:43',
        started: '30 10:44',
        outcome: 'moved',
        work: 58,
        pause: 0,
        username: 'old-id4932',
      },
      {
        node: 'LAPPING-MACHINE-1',
        no: 1,
        entered: '30 11:00',
        started: '30 11:00',
        outcome: 'reworked',
        work: 60,
        pause: 0,
        username: 'old-id4167',
      },
      {
        node: 'TURNING-MACHINE-4',
        no: 3,
        entered: '30 12:00',
        started: '30 14:00',
        outcome: 'moved',
        work: 60,
        pause: 0,
        username: 'old-id4932',
      },
    ]);
    const [job] = await floor.api.rows(
      `SELECT j.status, j.target_qty::float8 AS qty, t.status AS token, t.rework_count AS reworked, t.completed_at = j.completed_at AS ended,
              (SELECT count(*)::integer FROM platform.outbox WHERE body ->> 'jobTicketId' = j.id::text) AS told
       FROM production.job_ticket j
       JOIN production.job_graph_instance i ON i.job_ticket_id = j.id JOIN production.flow_token t ON t.instance_id = i.id
       WHERE j.code = 'OLD-Case 1'`,
    );
    expect(job).toEqual({ status: 'completed', qty: 10, token: 'completed', reworked: 1, ended: true, told: 0 });
    const events = await floor.api.rows<{ month: string; events: number }>(
      `SELECT tableoid::regclass::text AS month, count(*)::integer AS events FROM production.token_event
       WHERE event_time < '2013-01-01' GROUP BY 1 ORDER BY 1`,
    );
    expect(events).toEqual([
      { month: 'token_event_2012_01', events: 1 + 4 * 4 + 1 },
      { month: 'token_event_2012_02', events: 1 + 3 * 4 },
    ]);
    expect(
      await floor.api.rows(
        `SELECT work_seconds, pause_seconds, pause_reason FROM production.token_work_session WHERE pause_reason IS NOT NULL`,
      ),
    ).toEqual([{ work_seconds: '0.000', pause_seconds: '1800.000', pause_reason: 'breakdown' }]);
  });

  it('leaves nothing that disagrees: tokens and visits are what their events say', async () => {
    const by = Caller.system('test');
    const checks = { ...invariants, ...nightly };
    expect(await floor.api.app.get(HealthService, { strict: false }).look(by, checks, () => undefined)).toBe(0);
    expect(await unexplained(floor.api)).toEqual([]);
  });

  it('refuses a past that has not come, strangers, and nodes where nobody works', async () => {
    const graph = await floor.linear('CUT');
    const { id: operatorId } = await floor.worker();
    const visit = {
      nodeCode: 'CUT',
      operatorId,
      kind: 'work',
      startedAt: '2020-01-01T08:00:00Z',
      endedAt: '2020-01-01T09:00:00Z',
    };
    const job = { code: 'P-1', siteId: floor.site.id, graphVersionId: graph.id, line: 'oem', targetQty: 1 };
    const take = (changes: object, details: object = {}) =>
      outcome(floor.keyed(), 'POST', '/api/production/history', {
        ...job,
        visits: [{ ...visit, ...changes }],
        ...details,
      });
    expect(await take({ endedAt: '2120-01-01T09:00:00Z' })).toBe('422 invalid-request');
    expect(await take({ endedAt: '2020-01-01T07:59:59Z' })).toBe('422 invalid-request');
    expect(await take({ operatorId: graph.id })).toBe('422 invalid-request');
    expect(await take({ nodeCode: 'START' })).toBe('422 invalid-request');
    expect(await take({}, { graphVersionId: floor.site.id })).toBe('404 graph-not-found');
    expect(await take({}, { siteId: graph.id })).toBe('422 invalid-request');
    expect(await take({}, { visits: [] })).toBe('422 invalid-request');
    expect(await take({}, { visits: Array(1_001).fill(visit) })).toBe('422 invalid-request');
    expect(await take({}, { code: 'P-2', visits: Array(1_000).fill(visit) })).toBe('200');
    expect(await floor.api.rows(`SELECT FROM production.job_ticket WHERE code = 'P-1'`)).toEqual([]);
    expect(await take({ endedAt: visit.startedAt })).toBe('200');
  });

  // The log is not ours to hand on: it is read where it lies beside the checkout, with other data of the kind.
  const whole = fileURLToPath(
    new URL('../../../shared/data/production-levy/Production_Data.restored.csv', import.meta.url),
  );
  (existsSync(whole) ? it : it.skip)(
    'takes the whole log of a plant, with the figures that are known of it',
    async () => {
      const { taken, ...figures } = await told(whole, '--name', 'LEVY');
      expect(figures).toMatchObject({
        rows: 4_543,
        steps: 4_505,
        refused: { 'no-time': 38, 'ends-before-it-starts': 0, unreadable: 0 },
        cases: 225,
        activities: 55,
        machines: 31,
        workers: 49,
        parts: 43,
        orderedQty: 20_894,
        hours: 13_932.1,
      });
      expect(taken).toMatchObject({ jobs: 225, visits: 4_505 });
      const [kept] = await floor.api.rows(
        `SELECT count(DISTINCT j.id)::integer AS jobs, count(*)::integer AS visits, count(DISTINCT s.operator_id)::integer AS workers,
              round(sum(s.work_seconds + s.pause_seconds) / 3600, 1)::float8 AS hours
       FROM production.job_ticket j
       JOIN production.job_graph_instance i ON i.job_ticket_id = j.id
       JOIN production.flow_token t ON t.instance_id = i.id
       JOIN production.token_work_session s ON s.token_id = t.id WHERE j.code LIKE 'LEVY-%'`,
      );
      expect(kept).toEqual({ jobs: 225, visits: 4_505, workers: 49, hours: 13_932.1 });
      expect(await unexplained(floor.api)).toEqual([]);
    },
    300_000,
  );
});
