import { randomUUIDv7 } from 'node:crypto';
import { accountView, siteView, teamView, type AccountView, type SiteView, type TeamView } from '@belay/directory';
import { problem } from '@belay/platform';
import type { TestApi } from './test-api.js';

let counter = 0;

/** A short name that no other test uses. */
export function fresh(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}-${randomUUIDv7().slice(-6)}`;
}

export function newSite(admin: TestApi, details: object = {}): Promise<SiteView> {
  const body = { code: fresh('S'), name: 'Site', kind: 'plant', timeZone: 'Europe/London', ...details };
  return admin.post('/api/directory/sites', body, 201, siteView);
}

export function newTeam(admin: TestApi, siteId: string, details: object = {}): Promise<TeamView> {
  return admin.post('/api/directory/teams', { code: fresh('T'), name: 'Team', siteId, ...details }, 201, teamView);
}

export function newAccount(admin: TestApi, details: object = {}): Promise<AccountView> {
  const body = { username: fresh('user'), displayName: 'Robin Example', ...details };
  return admin.post('/api/directory/accounts', body, 201, accountView);
}

/** Somebody new who holds the role at the site only. */
export async function newHolder(
  api: TestApi,
  admin: TestApi,
  role: string,
  siteId: string,
): Promise<TestApi & { id: string }> {
  const { id } = await newAccount(admin, { roles: [{ role, siteId }] });
  return Object.assign(await api.asAccount(id), { id });
}

export function join(admin: TestApi, teamId: string, accountId: string, part: object = {}): Promise<unknown> {
  return admin.put(`/api/directory/teams/${teamId}/members/${accountId}`, part);
}

/** The status of the answer, with the slug when it is a problem: `201`, `409 code-taken`. */
export async function outcome(
  api: TestApi,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  headers?: Record<string, string>,
): Promise<string> {
  const response = await api.send(method, path, body, headers);
  if (response.statusCode < 400) return String(response.statusCode);
  const { code } = problem.parse(response.json());
  return `${response.statusCode} ${code}`;
}
