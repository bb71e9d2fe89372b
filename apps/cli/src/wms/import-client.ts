import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { answerOf, ApiRefusal } from '../api-refusal.js';

const importView = z.object({
  id: z.uuid(),
  status: z.string(),
  rowsTotal: z.int().nullable(),
  rowsDone: z.int(),
  rowsOk: z.int(),
  rowsWarning: z.int(),
  rowsError: z.int(),
  failure: z.string().nullable(),
});
export type ImportState = z.infer<typeof importView>;

const issue = z.object({
  line: z.int(),
  column: z.string().nullable(),
  severity: z.string(),
  code: z.string(),
  detail: z.string(),
});
export type ImportIssue = z.infer<typeof issue>;

const report = importView.extend({ issues: z.array(issue) });

/** Brings files to a running Belay, over HTTP like everybody. */
export class ImportClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Sends the file while it is read; none of it is kept. */
  async upload(
    options: Readonly<Record<string, string>>,
    content: AsyncIterable<string | Uint8Array>,
  ): Promise<ImportState> {
    const query = new URLSearchParams(options).toString();
    const body = ReadableStream.from(bytesOf(content));
    const request = { method: 'POST', headers: { 'content-type': 'text/csv' }, body, duplex: 'half' } as const;
    return importView.parse(await this.send(`imports?${query}`, request));
  }

  async report(id: string): Promise<ImportState & { readonly issues: readonly ImportIssue[] }> {
    return report.parse(await this.send(`imports/${id}?limit=200`, {}));
  }

  /** Ends once it is committed, or throws; `seen` hears how far it is. */
  async commit(id: string, skipErrors: boolean, seen: (state: ImportState) => void): Promise<ImportState> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `import-${id}` };
    const body = JSON.stringify({ skipErrors });
    let state = importView.parse(await this.send(`imports/${id}/commit`, { method: 'POST', headers, body }));
    while (state.status === 'committing') {
      await sleep(1_000);
      state = await this.report(id);
      seen(state);
    }
    if (state.status !== 'committed') throw new ApiRefusal(state.failure ?? `The import is ${state.status}.`);
    return state;
  }

  private async send(path: string, request: RequestInit & { readonly duplex?: 'half' }): Promise<unknown> {
    const headers = { ...Object.fromEntries(new Headers(request.headers)), authorization: `Bearer ${this.token}` };
    const response = await fetch(new URL(`/api/wms/${path}`, this.url), { ...request, headers });
    return answerOf(response, this.url);
  }
}

async function* bytesOf(content: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const chunk of content) yield typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
}
