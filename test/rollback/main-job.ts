import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { demoPassword } from '../../apps/cli/src/demo/load-demo.js';
import { planView } from '../../libs/rollback/src/plans/plan.contract.js';
import { runView, type RunView } from '../../libs/rollback/src/runs/run.contract.js';
import type { Stockroom } from '../wms/stockroom.js';
import type { BelayRoom } from './belay-room.js';

const session = z.object({ accessToken: z.string() });
const reason = ['--reason', 'the stock does not agree with the floor'];

/** Somebody with a sign-in, over HTTP. */
export class Client {
  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  static async signIn(url: string, username: string): Promise<Client> {
    const body = JSON.stringify({ username, password: demoPassword });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/auth/sign-in`, { method: 'POST', headers, body });
    return new Client(url, session.parse(await answer.json()).accessToken);
  }

  send(method: 'GET' | 'POST', path: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    return fetch(`${this.url}/api/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }
}

/** Clients that keep writing teams, each as soon as its last one is there, until they are told to stop. */
export class Writers {
  readonly codes: string[] = [];
  readonly failures: string[] = [];
  #longestMs = 0;
  #stopped = false;
  readonly #work: Promise<void>[];

  constructor(
    private readonly client: Client,
    private readonly siteId: string,
    private readonly prefix: string,
    count = 2,
  ) {
    this.#work = Array.from({ length: count }, (_, writer) => this.write(writer));
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
  }

  private async write(writer: number): Promise<void> {
    for (let number = 1; !this.#stopped; number += 1) {
      const code = `${this.prefix}-${writer}-${number}`;
      const began = performance.now();
      const failure = await this.client.send('POST', 'directory/teams', { code, name: code, siteId: this.siteId }).then(
        async (answer) => (answer.status === 201 ? undefined : `${answer.status} ${await answer.text()}`),
        (error: unknown) => String(error),
      );
      this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
      if (failure === undefined) this.codes.push(code);
      else this.failures.push(failure);
      await sleep(30);
    }
  }
}

/** What a person does at the terminal: plan, have others agree, run and watch. Answers the run as it ended. */
export async function carryOut(
  { here }: BelayRoom,
  plan: readonly string[],
  approvers: readonly string[],
): Promise<RunView> {
  const { id } = await here.json([...plan, ...reason], planView);
  await agree(here, id, approvers);
  return here.json(['run', id, '--watch'], runView);
}

/** Each is told what is missing until the last one has agreed. */
export async function agree(
  terminal: Pick<BelayRoom, 'text'>,
  planId: string,
  approvers: readonly string[],
): Promise<void> {
  for (const [place, username] of approvers.entries()) {
    const code = place === approvers.length - 1 ? 0 : 3;
    await terminal.text(['approve', planId, '--as', username, ...reason], code);
  }
}

/** Movements of so many lines each, through the tables. */
export async function fillLedger(stock: Stockroom, movements: number, linesOfEach: number): Promise<void> {
  const lots = await Promise.all(Array.from({ length: linesOfEach }, (_, number) => stock.lot(`L${number}`)));
  for (let posted = 0; posted < movements; posted += 1)
    await stock.post(lots.map((lot) => ({ lot, units: 1 + (posted % 7) })));
}

/** How long a run or a step took, by the journal. */
export function tookMs({ startedAt, finishedAt }: { startedAt: string | null; finishedAt: string | null }): number {
  return Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
}

/** A line for a table of figures: what was measured beside what it was to be. */
export function figure(what: string, ms: number, budget: string): string {
  return `  ${what.padEnd(52)} ${(ms / 1_000).toFixed(2).padStart(7)} s   ${budget}`;
}
