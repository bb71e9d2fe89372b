import { randomUUIDv7 } from 'node:crypto';
import { z } from 'zod';
import { outcome } from '../support/people.js';
import type { TokenFacts, Worker, Workshop } from './workshop.js';

const step = z.looseObject({
  status: z.string(),
  holdCode: z.string().nullish(),
  nodeCode: z.string().nullish(),
  queueReason: z.string().nullish(),
  rowVersion: z.int(),
  made: z.array(z.string()).default([]),
});
export type StepAnswer = z.infer<typeof step>;

type Token = string | { readonly id: string } | undefined;

/** What people do to tokens, through the API. */
export class Steps {
  constructor(private readonly shop: Workshop) {}

  /** Does it and expects that it can be done. */
  act(worker: Worker, token: Token, what: string, body: object = {}): Promise<StepAnswer> {
    return this.shop.keyed(worker.api).post(`/api/production/tokens/${idOf(token)}/${what}`, body, 200, step);
  }

  /** The status of the answer, with the slug of a problem. */
  outcome(worker: Worker, token: Token, what: string, body: object = {}): Promise<string> {
    const path = `/api/production/tokens/${idOf(token)}/${what}`;
    return outcome(worker.api, 'POST', path, body, { 'idempotency-key': randomUUIDv7() });
  }

  /** Starts and completes. */
  async work(worker: Worker, token: Token): Promise<StepAnswer> {
    await this.act(worker, token, 'start');
    return this.act(worker, token, 'complete');
  }

  /** A job of one batch that has begun, and its token. */
  async batch(
    graph: { readonly graphId: string },
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly ticket: { readonly id: string }; readonly token: TokenFacts }> {
    const { ticket, tokens } = await this.job(graph, details);
    const [token] = tokens;
    if (!token) throw new Error('The job made nothing');
    return { ticket, token };
  }

  async piece(
    graph: { readonly graphId: string },
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly ticket: { readonly id: string }; readonly token: TokenFacts }> {
    return this.batch(graph, { processMode: 'piece', targetQty: 1, ...details });
  }

  async job(
    graph: { readonly graphId: string },
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly ticket: { readonly id: string }; readonly tokens: TokenFacts[] }> {
    const ticket = await this.shop.ticket(graph, details);
    await this.shop.start(ticket);
    return { ticket, tokens: await this.shop.tokens(ticket) };
  }

  /** Where the live tokens of the job are, in the order of their branches. */
  async at(ticket: { readonly id: string }): Promise<string[]> {
    const live = (await this.shop.tokens(ticket)).filter(({ node }) => node !== null);
    return live.map(({ node, status, holdCode }) => [node, status, holdCode].filter((one) => one !== null).join(' '));
  }

  /** Of the job, the live token at the node. */
  async tokenAt(ticket: { readonly id: string }, node: string): Promise<TokenFacts> {
    const token = (await this.shop.tokens(ticket)).find((one) => one.node === node);
    if (!token) throw new Error(`Nothing is at ${node}`);
    return token;
  }

  /** Types of events of the token, in their order. */
  async history(token: Token): Promise<string[]> {
    const rows = await this.shop.api.rows<{ type: string }>(
      `SELECT type FROM production.token_event WHERE token_id = $1 ORDER BY id`,
      [idOf(token)],
    );
    return rows.map(({ type }) => type);
  }

  async jobStatus(ticket: { readonly id: string }): Promise<string | undefined> {
    const [row] = await this.shop.api.rows<{ status: string }>(
      `SELECT status FROM production.job_ticket WHERE id = $1`,
      [ticket.id],
    );
    return row?.status;
  }

  /** Kinds of findings that are open about the job or one of its tokens. */
  async findings(ticket: { readonly id: string }): Promise<string[]> {
    const rows = await this.shop.api.rows<{ kind: string }>(
      `SELECT f.kind FROM production.health_finding f
       WHERE f.resolved_at IS NULL AND (f.subject_id = $1 OR f.subject_id IN (
         SELECT t.id FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
         WHERE i.job_ticket_id = $1)) ORDER BY 1`,
      [ticket.id],
    );
    return rows.map(({ kind }) => kind);
  }
}

function idOf(token: Token): string {
  if (token === undefined) throw new Error('There is no such token');
  return typeof token === 'string' ? token : token.id;
}
