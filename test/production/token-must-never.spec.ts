import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { eventTypes, holdCodes, queueReasons, tokenStatuses } from '../../libs/production/src/lifecycle/token.rules.js';
import { TokenStore } from '../../libs/production/src/lifecycle/token.store.js';
import { Commands } from '../../libs/production/src/production.command.js';
import { TokenState } from '../../libs/production/src/production.problems.js';
import { assignmentStatuses } from '../../libs/production/src/work/assignment.queries.js';
import { sessionStatuses } from '../../libs/production/src/work/session.queries.js';
import { Steps } from './steps.js';
import { end, operation, start, Workshop, type Worker } from './workshop.js';

const node = (code: string, type: string, details: object = {}) => ({ code, name: code, type, ...details });

describe('it must never happen that', () => {
  let shop: Workshop;
  let steps: Steps;
  let ada: Worker;
  let boss: Worker;

  beforeAll(async () => {
    shop = await Workshop.open();
    steps = new Steps(shop);
    ada = await shop.worker();
    boss = await shop.worker({ role: 'supervisor' });
  });
  afterAll(() => shop.close());

  it.each([
    ['flow_token', 'token_status_is_known', tokenStatuses],
    ['flow_token', 'token_hold_code_is_known', holdCodes],
    ['flow_token', 'token_queue_reason_is_known', queueReasons],
    ['token_event', 'token_event_type_is_known', eventTypes],
    ['token_assignment', 'assignment_status_is_known', assignmentStatuses],
    ['token_work_session', 'session_status_is_known', sessionStatuses],
  ])('%s knows other words than the code does', async (table, constraint, words) => {
    const [row] = await shop.api.rows<{ definition: string }>(
      `SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
       WHERE conrelid = ('production.' || $1)::regclass AND conname = $2`,
      [table, constraint],
    );
    const known = [...(row?.definition ?? '').matchAll(/'(\w+)'/g)].map(([, word]) => word);
    expect(known.toSorted()).toEqual([...words].toSorted());
  });

  it('something is logged that did not happen: a step that comes too late writes nothing at all', async () => {
    const { token } = await steps.batch(await shop.linear('CUT'));
    const store = shop.api.app.get(TokenStore, { strict: false });
    const commands = shop.api.app.get(Commands, { strict: false });
    const before = await steps.history(token);
    const late = commands.onToken(Caller.system('too-late'), token.id, { cause: 'repair', hold: 'work' }, (command) =>
      store.write(command, {
        changes: [{ id: token.id, from: ['active'], to: 'paused' }],
        marks: [{ tokenId: token.id, completed: true }],
        events: [{ tokenId: token.id, type: 'NODE_PAUSE', nodeId: null }],
      }),
    );
    await expect(late).rejects.toThrow(TokenState);
    expect(await steps.history(token)).toEqual(before);
    expect(await shop.tokens({ id: (await jobOf(token.id)) ?? '' })).toMatchObject([{ status: 'ready' }]);
  });

  it('a token is set to what it cannot become', async () => {
    const { token } = await steps.batch(await shop.linear('CUT'));
    await steps.act(boss, token, 'scrap', { note: 'Torn' });
    const store = shop.api.app.get(TokenStore, { strict: false });
    const commands = shop.api.app.get(Commands, { strict: false });
    const revived = commands.onToken(Caller.system('revival'), token.id, { cause: 'repair', hold: 'work' }, (command) =>
      store.changeStatus(command, [token.id], { from: ['scrapped'], to: 'ready' }),
    );
    await expect(revived).rejects.toThrow('never goes from scrapped to ready');
  });

  it('there are tokens while a job is only planned', async () => {
    const ticket = await shop.ticket(await shop.linear('CUT'), { processMode: 'piece', targetQty: 3 });
    await shop.keyed().post(`/api/production/job-tickets/${ticket.id}/serials`, {}, 200);
    expect(await shop.tokens(ticket)).toEqual([]);
  });

  it('start nodes, splits, joins and ends are worked at or assigned', async () => {
    const graph = await shop.graph(
      [start(), node('SPLIT', 'split'), operation('A'), operation('B'), node('JOIN', 'join'), end()],
      [
        ['START', 'SPLIT'],
        ['SPLIT', 'A'],
        ['SPLIT', 'B'],
        ['A', 'JOIN'],
        ['B', 'JOIN'],
        ['JOIN', 'END'],
      ],
    );
    const { ticket, token } = await steps.piece(graph);
    expect(await steps.outcome(ada, token, 'start')).toBe('422 action-not-for-node');
    await steps.work(ada, await steps.tokenAt(ticket, 'A'));
    expect(await steps.outcome(ada, await steps.tokenAt(ticket, 'JOIN'), 'start')).toBe('422 action-not-for-node');
    await steps.work(ada, await steps.tokenAt(ticket, 'B'));
    const worked = await shop.api.rows(
      `SELECT DISTINCT n.node_type AS type FROM production.token_assignment a JOIN production.routing_node n ON n.id = a.node_id`,
    );
    expect(worked).toEqual([{ type: 'operation' }]);
  });

  it('a restart revives what was scrapped, or makes a second set', async () => {
    const { ticket } = await steps.job(await shop.linear('CUT'), { processMode: 'piece', targetQty: 3 });
    const run = (what: string, body: object = {}) =>
      shop.keyed().post(`/api/production/job-tickets/${ticket.id}/${what}`, body, 200);
    await run('cancel', { reason: 'Not wanted' });
    const old = await shop.tokens(ticket);
    await run('restart');
    await run('start');
    const all = await shop.tokens(ticket);
    expect(all.slice(0, 3)).toEqual(old);
    expect(all.slice(3).map(({ status, serial }) => [status, serial])).toEqual(
      old.map(({ serial }) => ['ready', serial]),
    );
    const [scrapped] = old;
    expect(await steps.outcome(boss, scrapped, 'replacement', { reason: 'Back' })).toBe('409 instance-archived');
  });

  it('a condition that means nothing is taken for a way', async () => {
    const graph = await shop.graph(
      [start(), operation('CUT'), node('D', 'decision'), operation('A'), operation('B'), end()],
      [
        ['START', 'CUT'],
        ['CUT', 'D'],
        [
          'D',
          'A',
          {
            type: 'conditional',
            condition: { groups: [[{ type: 'token_property', field: 'qty', op: '>', value: 1 }]] },
          },
        ],
        ['D', 'B', { isDefault: true }],
        ['A', 'END'],
        ['B', 'END'],
      ],
    );
    // Nobody can store such a condition; a release long ago may have.
    await shop.api.rows(`ALTER TABLE production.routing_edge DISABLE TRIGGER USER`);
    await shop.api.rows(
      `UPDATE production.routing_edge SET condition = '{"groups": [[{"type": "mood", "field": "good"}]]}'
       WHERE graph_version_id = $1 AND condition IS NOT NULL`,
      [graph.id],
    );
    await shop.api.rows(`ALTER TABLE production.routing_edge ENABLE TRIGGER USER`);
    const { token } = await steps.batch(graph);
    expect(await steps.work(ada, token)).toMatchObject({ nodeCode: 'B', status: 'ready' });
    expect(await steps.history(token)).toContain('RESOLVER_ERROR');
  });

  it('a failure is scrapped without a word', async () => {
    const graph = await shop.graph(
      [start(), operation('SEW'), node('QC', 'qc', { teamCategory: 'general' }), end()],
      [
        ['START', 'SEW'],
        ['SEW', 'QC'],
        ['QC', 'END', { isDefault: true }],
        ['QC', 'SEW', { type: 'rework' }],
      ],
    );
    const { token } = await steps.piece(graph);
    await steps.work(ada, token);
    for (let n = 0; n < 4; n += 1) {
      const answer = await steps.act(boss, token, 'qc', { result: 'fail', defectCode: 'STITCH' });
      expect(answer.status).not.toBe('scrapped');
      if (answer.holdCode !== null) break;
      await steps.work(ada, token);
    }
    expect(await shop.api.rows(`SELECT hold_code FROM production.flow_token WHERE id = $1`, [token.id])).toEqual([
      { hold_code: 'SUPERVISOR' },
    ]);
    expect(await steps.history(token)).not.toContain('SCRAP');
  });

  async function jobOf(tokenId: string): Promise<string | undefined> {
    const [row] = await shop.api.rows<{ id: string }>(
      `SELECT i.job_ticket_id AS id FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
       WHERE t.id = $1`,
      [tokenId],
    );
    return row?.id;
  }
});
