import type { Probe } from '@belay/platform';
import { z } from 'zod';
import type { Json, JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import type { LiveProcess } from './live-process.queries.js';

export interface Look {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly facts: JsonObject;
}

type HttpProbe = Extract<Probe, { kind: 'http' }>;

/** No process answers slower than this to somebody who only looks. */
const LOOK_MS = 2_000;

const verdict = z.object({ flag: z.string(), mode: z.string(), killed: z.boolean() });
const board = z.object({
  processId: z.string(),
  emergency: z.boolean(),
  writesAllowed: z.boolean(),
  domains: z.array(
    z.object({
      name: z.string(),
      mode: z.string(),
      booted: z.boolean(),
      verdict: verdict.nullable(),
      features: z.array(verdict),
    }),
  ),
});
export type Board = z.infer<typeof board>;

/** What a process itself says of every flag; undefined when it does not answer, or another process answers there. */
export async function boardOf(process: LiveProcess, signal: AbortSignal): Promise<Board | undefined> {
  if (process.url === null) return undefined;
  try {
    const response = await fetch(`${process.url}/health/domains`, { signal: soon(signal) });
    const seen = board.parse(await response.json());
    return seen.processId === process.id ? seen : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * Asks one process over HTTP. A route that is expected to work and asks for a sign-in is there, behind an open gate: that
 * is all that can be seen without PROBE_TOKEN, and the facts say so.
 */
async function askHttp(world: World, url: string, probe: HttpProbe, signal: AbortSignal): Promise<Look> {
  const { PROBE_TOKEN: token } = world.runtime.config;
  const asked = { probe: probe.name, url: `${url}${probe.path}`, expected: probe.code ?? probe.status };
  try {
    const response = await fetch(`${url}${probe.path}`, {
      method: probe.method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: soon(signal),
      redirect: 'manual',
    });
    const body: unknown = await response.json().catch(() => null);
    const code = z.object({ code: z.string() }).safeParse(body).data?.code ?? null;
    const answered: JsonObject = { ...asked, status: response.status, code };
    if (response.status === probe.status && (probe.code === undefined || probe.code === code)) return pass(answered);
    const behindSignIn = response.status === 401 && probe.status < 300 && token === undefined;
    if (behindSignIn) return pass({ ...answered, seen: 'up to the sign-in' });
    return { outcome: response.status === 429 ? 'inconclusive' : 'fail', facts: answered };
  } catch (error) {
    signal.throwIfAborted();
    return {
      outcome: 'inconclusive',
      facts: { ...asked, error: error instanceof Error ? error.message : 'no answer' },
    };
  }
}

/** Asks every API process that lives; nothing can be said of one that has not told where it listens. */
export async function askEveryApi(
  world: World,
  processes: readonly LiveProcess[],
  probes: readonly HttpProbe[],
  signal: AbortSignal,
): Promise<readonly Look[]> {
  const looks = processes
    .filter(({ role }) => role === 'api')
    .flatMap(({ id, url }) =>
      probes.map((probe): Promise<Look> => {
        if (url !== null) return askHttp(world, url, probe, signal);
        const facts = { probe: probe.name, process: id, error: 'the process has not told where it listens' };
        return Promise.resolve({ outcome: 'inconclusive', facts });
      }),
    );
  return Promise.all(looks);
}

/** Passes when all do; one that failed outweighs those that nobody could find out. */
export function together(looks: readonly Look[]): Look['outcome'] {
  if (looks.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return looks.some(({ outcome }) => outcome === 'inconclusive') ? 'inconclusive' : 'pass';
}

export function factsOf(looks: readonly Look[]): Json {
  return looks.map(({ outcome, facts }) => ({ outcome, ...facts }));
}

function pass(facts: JsonObject): Look {
  return { outcome: 'pass', facts };
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
}
