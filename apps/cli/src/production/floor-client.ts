import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { answerOf, ApiRefusal } from '../api-refusal.js';
import type { Drawing } from './usual-way.js';

const identified = z.object({ id: z.uuid() });
const coded = identified.extend({ code: z.string() });
const account = identified.extend({ username: z.string() });
const version = z.object({ id: z.uuid() });
const taken = z.object({ taken: z.boolean(), visits: z.int(), overlaps: z.int() });

/** Brings a floor and what was done on it to a running Belay, over HTTP like everybody. What is there already is used. */
export class FloorClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async site(code: string): Promise<string> {
    const site = await this.find('directory/sites', code, coded, (one) => one.code === code);
    if (!site) throw new ApiRefusal(`There is no site ${code}.`);
    return site.id;
  }

  async workCenter(siteId: string, code: string, name: string): Promise<string> {
    return this.ensured('production/work-centers', coded, (one) => one.code === code, code, { siteId, code, name });
  }

  async team(siteId: string, code: string, name: string): Promise<string> {
    const facts = { siteId, code, name, teamCategory: 'general' };
    return this.ensured('directory/teams', coded, (one) => one.code === code, code, facts);
  }

  /** Somebody who works at the site in the team. */
  async worker(siteId: string, teamId: string, username: string, displayName: string): Promise<string> {
    const facts = { username, displayName, roles: [{ role: 'operator', siteId }] };
    const id = await this.ensured('directory/accounts', account, (one) => one.username === username, username, facts);
    await this.send('PUT', `directory/teams/${teamId}/members/${id}`, {});
    return id;
  }

  /** The version that the graph of this code is published as. */
  async graph(code: string, name: string, { nodes, edges }: Drawing): Promise<string> {
    const facts = { code, name, productionMode: 'hybrid', nodes, edges };
    const id = await this.ensured('production/graphs', coded, (one) => one.code === code, code, facts);
    return version.parse(await this.send('POST', `production/graphs/${id}/publish`, {})).id;
  }

  async take(job: object): Promise<z.infer<typeof taken>> {
    return taken.parse(await this.send('POST', 'production/history', job));
  }

  private async ensured<Item extends { readonly id: string }>(
    path: string,
    item: z.ZodType<Item>,
    isIt: (one: Item) => boolean,
    search: string,
    facts: object,
  ): Promise<string> {
    const known = await this.find(path, search, item, isIt);
    return known ? known.id : identified.parse(await this.send('POST', path, facts)).id;
  }

  private async find<Item>(
    path: string,
    search: string,
    item: z.ZodType<Item>,
    isIt: (one: Item) => boolean,
  ): Promise<Item | undefined> {
    const list = z.object({ items: z.array(item), next: z.string().nullable() });
    let cursor = '';
    for (;;) {
      const query = new URLSearchParams({ search, limit: '200', ...(cursor !== '' && { cursor }) }).toString();
      const { items, next } = list.parse(await this.send('GET', `${path}?${query}`));
      const found = items.find(isIt);
      if (found !== undefined || next === null) return found;
      cursor = next;
    }
  }

  private async send(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<unknown> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
    };
    const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(new URL(`/api/${path}`, this.url), request);
    return answerOf(response, this.url);
  }
}
