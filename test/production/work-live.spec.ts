import { directory } from '@belay/directory';
import { Caller, Database, Outbox, Queues } from '@belay/platform';
import { assignmentList, findingList, production, workQueue } from '@belay/production';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { eventually } from '../support/eventually.js';
import { outcome } from '../support/people.js';
import { breaches } from './floor-invariants.js';
import { operation, Workshop, type TokenFacts, type Worker } from './workshop.js';

describe('the floor by itself', () => {
  let shop: Workshop;
  let worker: RunningWorker;
  let ada: Worker;
  let boss: Worker;
  let url: string;
  const jobs: string[] = [];

  beforeAll(async () => {
    shop = await Workshop.open();
    ada = await shop.worker();
    boss = await shop.worker({ role: 'supervisor' });
    worker = await startWorker({ config: shop.api.config, domains: [directory, production] });
    await shop.api.app.listen(0, '127.0.0.1');
    url = await shop.api.app.getUrl();
  });
  afterAll(async () => {
    await worker.close();
    await shop.close();
  });
  afterEach(async () => {
    expect(await breaches(shop.api, jobs)).toEqual([]);
  });

  const run = async (graph: { readonly graphId: string }, count: number) => {
    const ticket = await shop.ticket(graph, { processMode: 'piece', targetQty: count });
    jobs.push(ticket.id);
    await shop.start(ticket);
    return { ticket, tokens: await shop.tokens(ticket) };
  };
  const post = (by: Worker, path: string, body: object = {}) =>
    outcome(shop.keyed(by.api), 'POST', `/api/production/${path}`, body);
  const give = (token: TokenFacts | undefined, to: Worker) =>
    post(boss, 'assignments', { tokenIds: [token?.id], operatorId: to.id });
  const soon = (holds: () => Promise<void>) => eventually(holds, 20_000);
  const openOf = async (token: TokenFacts | undefined) =>
    (await shop.admin.get(`/api/production/assignments?tokenId=${token?.id}&status=open`, 200, assignmentList)).items;
  const announce = (name: string, body: Record<string, unknown>, domain: string) =>
    shop.api.app
      .get(Database)
      .transaction(Caller.system('others'), (tx) => shop.api.app.get(Outbox).add(tx, { name, body }, domain));
  /** Has the cron job run now. */
  const tick = (name: string) => {
    const data = { version: 1, requestId: 'tick', payload: { slot: new Date().toISOString() } };
    const id = `tick-${name}-${Date.now()}`;
    return shop.api.app.get(Queues).add('production', { id, name, data, attempts: 1, backoffMs: 1 });
  };

  it('lets in who waits as soon as somebody has gone, and shows it to whoever follows their queue', async () => {
    const { ticket, tokens } = await run(await shop.linear(operation('CUT', { wipLimit: 1 })), 2);
    const [inside, waiting] = tokens.toSorted(({ status }) => (status === 'ready' ? -1 : 1));
    const seen = follow(
      `${url}/api/production/work-queue/stream`,
      ada,
      (text) => text.split('event: work-queue').length > 2,
    );
    await post(ada, `tokens/${inside?.id}/start`);
    await post(ada, `tokens/${inside?.id}/complete`);
    await soon(async () => {
      expect((await shop.tokens(ticket)).find(({ id }) => id === waiting?.id)).toMatchObject({ status: 'ready' });
    });
    const events = (await seen).split('\n').filter((line) => line.startsWith('data: '));
    const lists = events.map((line) => workQueue.parse(JSON.parse(line.slice('data: '.length))));
    expect(lists.length).toBeGreaterThan(1);
    expect(JSON.stringify(lists[0])).not.toEqual(JSON.stringify(lists[1]));
  });

  it('looks every minute at what was missed', async () => {
    const { graphId } = await shop.linear(operation('CUT', { wipLimit: 1 }));
    const { ticket } = await run({ graphId }, 3);
    await shop.api.rows(`UPDATE production.node_limit SET wip_limit = 2 WHERE graph_id = $1 AND node_code = 'CUT'`, [
      graphId,
    ]);
    await tick('queue-sweep');
    await soon(async () => {
      expect((await shop.tokens(ticket)).filter(({ status }) => status === 'ready')).toHaveLength(2);
    });
  });

  it('takes work from whoever goes away, once for each time it is said', async () => {
    const eve = await shop.worker();
    const { ticket, tokens } = await run(await shop.linear('CUT'), 2);
    for (const token of tokens) expect(await give(token, eve)).toBe('200');
    expect(await post(eve, `tokens/${tokens[0]?.id}/start`)).toBe('200');
    const body = { operatorId: eve.id, from: new Date().toISOString(), until: null, reason: 'leave' };
    await announce('assignment.operator-unavailable', body, 'assignment');
    await soon(async () => {
      expect(await openOf(tokens[1])).toEqual([]);
    });
    expect((await shop.tokens(ticket))[0]).toMatchObject({ status: 'paused' });
    expect(await openOf(tokens[0])).toMatchObject([{ status: 'paused', operatorId: eve.id }]);
  });

  it('tells a supervisor of work that somebody has left who is gone', async () => {
    const eve = await shop.worker();
    const { tokens } = await run(await shop.linear('CUT'), 2);
    for (const token of tokens) expect(await give(token, eve)).toBe('200');
    expect(await post(eve, `tokens/${tokens[0]?.id}/start`)).toBe('200');
    await shop.admin.send('POST', `/api/directory/accounts/${eve.id}/deactivation`, {});
    const found = `/api/production/findings?kind=operator-gone&subjectId=${tokens[0]?.id}&open=true`;
    await soon(async () => {
      expect((await boss.api.get(found, 200, findingList)).items).toHaveLength(1);
    });
    expect(await openOf(tokens[1])).toEqual([]);
    expect(await post(boss, `tokens/${tokens[0]?.id}/complete`)).toBe('200');
    await tick('session-housekeeping');
    await soon(async () => {
      expect((await boss.api.get(found, 200, findingList)).items).toEqual([]);
    });
  });

  it('looks for what disagrees, by day and by night', async () => {
    const { tokens } = await run(await shop.linear('CUT'), 1);
    const [token] = tokens;
    await shop.api.rows(`UPDATE production.flow_token SET status = 'waiting' WHERE id = $1`, [token?.id]);
    const found = `/api/production/findings?subjectId=${token?.id}&open=true`;
    await tick('health-scan');
    await soon(async () => {
      expect((await boss.api.get(found, 200, findingList)).items).toMatchObject([{ kind: 'waits-for-nothing' }]);
    });
    await shop.api.rows(`UPDATE production.flow_token SET status = 'ready' WHERE id = $1`, [token?.id]);
    await tick('reconciliation');
    await soon(async () => {
      expect((await boss.api.get(found, 200, findingList)).items).toEqual([]);
    });
  });
});

/** What the stream sends until it has said enough. */
async function follow(url: string, by: Worker, isEnough: (text: string) => boolean): Promise<string> {
  const leave = new AbortController();
  const response = await fetch(url, { headers: { ...by.api.headers }, signal: leave.signal });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (isEnough(text)) break;
  }
  leave.abort();
  return text;
}
