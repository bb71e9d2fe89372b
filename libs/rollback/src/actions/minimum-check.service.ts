import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Evidence, StepContext } from '../engine/action.js';
import type { Json } from '../engine/json.js';
import { liveProcesses, type LiveProcess } from './live-process.queries.js';
import { askEveryApi, boardOf, factsOf, together, type Look } from './probe.service.js';
import { ledgerOf } from './schema-move.service.js';

const SETTLED_WITHIN_MS = 15_000;

/**
 * Every process lives · the database answers and its ledgers are whole · all run the same build · the main page is there,
 * where there is one · modules that are on answer, those that are off say so. What only a person can see is not among them.
 */
export async function minimumChecks(context: StepContext): Promise<Evidence> {
  const { world, signal } = context;
  const until = Math.min(performance.now() + SETTLED_WITHIN_MS, context.deadline);
  for (;;) {
    const processes = await liveProcesses(world.control);
    const checks: Record<string, readonly Look[]> = {
      processes: [await noneDied(context, processes)],
      database: [await ledgersWhole(context), ...(await ready(context, processes))],
      build: [await oneBuild(context)],
      page: await mainPage(context, processes),
      modules: await modules(context, processes),
    };
    const outcome = together(Object.values(checks).flat());
    if (outcome === 'pass' || performance.now() >= until) {
      const told = Object.entries(checks).map(([name, looks]): [string, Json] => [name, factsOf(looks)]);
      return { outcome, facts: Object.fromEntries(told) };
    }
    await sleep(500, undefined, { signal });
  }
}

/** A process that ends in order takes its row with it; one that leaves it behind since the run began has died. */
async function noneDied({ world, runId }: StepContext, live: readonly LiveProcess[]): Promise<Look> {
  const { rows } = await world.control.query(
    `SELECT p.id, p.role, p.host, p.pid FROM control.process p, control.run r
     WHERE r.id = $1 AND p.at >= coalesce(r.started_at, r.created_at) AND NOT p.id = ANY ($2::uuid[])`,
    [runId, live.map(({ id }) => id)],
  );
  const died = z.array(z.object({ id: z.string(), role: z.string(), host: z.string(), pid: z.number() })).parse(rows);
  return { outcome: died.length === 0 ? 'pass' : 'fail', facts: { live: live.length, died } };
}

/** A domain is up or parked as a whole, save the features that are parked on their own: half a ledger is told. */
async function ledgersWhole({ world }: StepContext): Promise<Look> {
  const states: Record<string, Json> = {};
  for (const { domain } of world.ledgers.filter(({ database }) => database === 'application')) {
    const ledger = await ledgerOf(world, domain);
    const parked = ledger.filter(({ state }) => state === 'parked').length;
    states[domain] =
      parked === 0 ? 'applied' : parked === ledger.length ? 'parked' : `${parked} of ${ledger.length} parked`;
  }
  return { outcome: 'pass', facts: { ledgers: states } };
}

function ready({ world, scope, signal }: StepContext, processes: readonly LiveProcess[]): Promise<readonly Look[]> {
  const probe = { kind: 'http', name: 'ready', method: 'GET', path: '/health/ready', status: 200 } as const;
  return scope === 'drill' ? Promise.resolve([]) : askEveryApi(world, processes, [probe], signal);
}

async function oneBuild({ world: { control } }: StepContext): Promise<Look> {
  const { rows } = await control.query<{ build: string }>(
    `SELECT DISTINCT build_sha AS build FROM control.process WHERE at > clock_timestamp() - interval '5 seconds' ORDER BY 1`,
  );
  const builds = rows.map(({ build }) => build);
  // During a deployment two builds run side by side, and neither is wrong.
  return { outcome: 'pass', facts: { builds } };
}

async function mainPage({ scope, signal }: StepContext, processes: readonly LiveProcess[]): Promise<readonly Look[]> {
  const urls =
    scope === 'drill' ? [] : processes.flatMap(({ role, url }) => (role === 'api' && url !== null ? [url] : []));
  return Promise.all(
    urls.map(async (url): Promise<Look> => {
      try {
        const response = await fetch(`${url}/`, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
        const text = await response.text();
        if (response.status === 404) return { outcome: 'pass', facts: { url, page: 'this API serves none' } };
        const marked = response.ok && /<html/i.test(text);
        return { outcome: marked ? 'pass' : 'fail', facts: { url, status: response.status } };
      } catch (error) {
        signal.throwIfAborted();
        return { outcome: 'inconclusive', facts: { url, error: String(error) } };
      }
    }),
  );
}

async function modules(context: StepContext, processes: readonly LiveProcess[]): Promise<readonly Look[]> {
  const { world, scope, signal } = context;
  const apis = scope === 'drill' ? [] : processes.filter(({ role }) => role === 'api');
  const looks = await Promise.all(
    apis.map(async (api) => {
      const board = await boardOf(api, signal);
      if (!board) return [{ outcome: 'inconclusive', facts: { process: api.id, error: 'no answer' } } as const];
      const probes = world.domains.flatMap(({ name, runbook }) => {
        const mode = board.domains.find((one) => one.name === name)?.mode;
        const wanted = mode === 'off' ? runbook?.probes.off : runbook?.probes.on;
        return (wanted ?? []).filter((probe) => probe.kind === 'http');
      });
      return askEveryApi(world, [api], probes, signal);
    }),
  );
  return looks.flat();
}
