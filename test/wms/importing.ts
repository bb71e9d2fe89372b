import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { z } from 'zod';
import { inChunks } from '../../apps/cli/src/wms/csv-text.js';
import type { TestApi } from '../support/test-api.js';

const importView = z.object({
  id: z.uuid(),
  status: z.string(),
  fileSha256: z.string(),
  rowsTotal: z.int().nullable(),
  rowsDone: z.int(),
  rowsOk: z.int(),
  rowsWarning: z.int(),
  rowsError: z.int(),
  ignoredColumns: z.array(z.string()),
  failure: z.string().nullable(),
});
export type ImportView = z.infer<typeof importView>;

const issue = z.object({
  row: z.int(),
  line: z.int(),
  column: z.string().nullable(),
  severity: z.string(),
  code: z.string(),
  detail: z.string(),
});
export const importReport = importView.extend({ issues: z.array(issue), next: z.string().nullable() });
export type ImportReport = z.infer<typeof importReport>;

type Content = string | AsyncIterable<string>;

/** Sends a file, and answers the response as it is. */
export function send(api: TestApi, options: Readonly<Record<string, string>>, content: Content) {
  const body = typeof content === 'string' ? content : Readable.from(inChunks(content));
  const query = new URLSearchParams(options).toString();
  return api.send('POST', `/api/wms/imports?${query}`, body, { 'content-type': 'text/csv' });
}

export async function upload(
  api: TestApi,
  options: Readonly<Record<string, string>>,
  content: Content,
): Promise<ImportView> {
  const response = await send(api, options, content);
  expect([response.statusCode, response.body]).toEqual([201, response.body]);
  return importView.parse(response.json());
}

export function commit(api: TestApi, id: string, body: object = {}) {
  return api.send('POST', `/api/wms/imports/${id}/commit`, body, { 'idempotency-key': randomUUID() });
}

/** Commits what must not fail; what a job does is waited for. */
export async function commitWhole(api: TestApi, id: string, body: object = {}): Promise<ImportView> {
  const response = await commit(api, id, body);
  expect([response.statusCode, response.body]).toEqual([200, response.body]);
  let view = importView.parse(response.json());
  if (view.status !== 'committing') return view;
  // Not so often that the looking takes the time that the work needs.
  while (view.status === 'committing') {
    await sleep(500);
    view = await report(api, id);
  }
  expect([view.status, view.failure]).toEqual(['committed', null]);
  return view;
}

export function report(api: TestApi, id: string): Promise<ImportReport> {
  return api.get(`/api/wms/imports/${id}`, 200, importReport);
}
