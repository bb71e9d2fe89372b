import type { Domain, Invariant, Probe } from '@belay/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Evidence, StepContext } from '../engine/action.js';
import { DomainUnknown } from '../rollback.problems.js';
import { verifyStopped } from './job-state.service.js';
import { liveProcesses, type LiveProcess } from './live-process.queries.js';
import { overlayScope, overrideOf } from './override.queries.js';
import { askEveryApi, boardOf, factsOf, together, type Look } from './probe.service.js';

/** A process builds its modules anew within seconds; what it answers meanwhile is not what it will. */
const SETTLED_WITHIN_MS = 15_000;
/** As many defects are shown; one is enough. */
const SAMPLE = 10;

export async function verifyDomainState(
  context: StepContext,
  name: string,
  expected: 'off' | 'on' | null,
): Promise<Evidence> {
  const { world, signal } = context;
  const domain = world.domains.find((one) => one.name === name);
  if (!domain)
    throw new DomainUnknown(
      name,
      world.domains.map((one) => one.name),
    );
  const until = Math.min(performance.now() + SETTLED_WITHIN_MS, context.deadline);
  for (;;) {
    const state = expected ?? (await stateOf(context, domain));
    const looks = state === 'off' ? await looksOff(context, domain) : await looksOn(context, domain);
    const outcome = together(looks.judged);
    if (outcome === 'pass' || performance.now() >= until) {
      return { outcome, facts: { domain: name, state, looks: factsOf(looks.judged), noted: factsOf(looks.noted) } };
    }
    await sleep(500, undefined, { signal });
  }
}

interface Looks {
  readonly judged: readonly Look[];
  /** What is told and decides nothing: damage is no reason against switching off what is damaged. */
  readonly noted: readonly Look[];
}

/** Off by hand, or as the processes that serve it say; without any, as the flag's source does. */
async function stateOf(context: StepContext, domain: Domain): Promise<'off' | 'on'> {
  const { world, signal } = context;
  if (domain.flag === undefined) return 'on';
  const override = await overrideOf(world.control, overlayScope(context), domain.flag);
  if (override?.off === true) return 'off';
  for (const process of await liveProcesses(world.control)) {
    const board = process.role === 'api' ? await boardOf(process, signal) : undefined;
    const mode = board?.domains.find(({ name }) => name === domain.name)?.mode;
    if (mode !== undefined) return mode === 'off' ? 'off' : 'on';
  }
  return world.runtime.flags.reading(domain.flag).on ? 'on' : 'off';
}

async function looksOff(context: StepContext, domain: Domain): Promise<Looks> {
  const processes = await liveProcesses(context.world.control);
  const { off = [], fallback = [] } = domain.runbook?.probes ?? {};
  const judged = [
    ...(await lookAtBoards(context, processes, domain.name, 'off')),
    ...(await probe(context, processes, domain, [...off, ...fallback])),
  ];
  const asked = off.some(({ kind }) => kind === 'jobs-idle');
  if (!asked) judged.push(await jobsIdle(context, domain.name, 'its jobs stand still'));
  return { judged, noted: await invariantsOf(context, domain) };
}

async function looksOn(context: StepContext, domain: Domain): Promise<Looks> {
  const processes = await liveProcesses(context.world.control);
  const judged = [
    ...(await lookAtBoards(context, processes, domain.name, 'on')),
    ...(await probe(context, processes, domain, domain.runbook?.probes.on ?? [])),
    ...(await invariantsOf(context, domain)),
  ];
  return { judged, noted: [] };
}

async function lookAtBoards(
  { scope, signal }: StepContext,
  processes: readonly LiveProcess[],
  domain: string,
  state: 'off' | 'on',
): Promise<readonly Look[]> {
  // A drill has a stage of its own; what live processes say is not about it.
  if (scope === 'drill') return [];
  const apis = processes.filter(({ role }) => role === 'api');
  return Promise.all(
    apis.map(async (api): Promise<Look> => {
      const seen = (await boardOf(api, signal))?.domains.find(({ name }) => name === domain);
      const asked = { probe: 'the board of the process', process: api.id, url: api.url };
      if (!seen) return { outcome: 'inconclusive', facts: { ...asked, error: 'no answer' } };
      const right = state === 'off' ? seen.mode === 'off' : seen.mode !== 'off' && seen.booted;
      return { outcome: right ? 'pass' : 'fail', facts: { ...asked, mode: seen.mode, booted: seen.booted } };
    }),
  );
}

async function probe(
  context: StepContext,
  processes: readonly LiveProcess[],
  domain: Domain,
  probes: readonly Probe[],
): Promise<readonly Look[]> {
  const { world, scope, signal } = context;
  const http = scope === 'drill' ? [] : probes.filter((one) => one.kind === 'http');
  const looks: Look[] = [...(await askEveryApi(world, processes, http, signal))];
  const since = await sinceOf(context);
  for (const one of probes) {
    if (one.kind === 'jobs-idle') looks.push(await jobsIdle(context, domain.name, one.name));
    if (one.kind === 'rows' && (await isLive(context, domain.name))) looks.push(await noRows(context, one, since));
  }
  return looks;
}

async function jobsIdle(context: StepContext, domain: string, name: string): Promise<Look> {
  const { outcome, facts } = await verifyStopped(context, domain, 'idle');
  return { outcome, facts: { probe: name, ...facts } };
}

async function noRows(
  { world: { application } }: StepContext,
  { name, sql }: Extract<Probe, { kind: 'rows' }>,
  since: Date,
): Promise<Look> {
  try {
    const { rows } = await application.query<object>(sql, [SAMPLE, since]);
    return { outcome: rows.length === 0 ? 'pass' : 'fail', facts: { probe: name, rows: textOf(rows) } };
  } catch (error) {
    return { outcome: 'inconclusive', facts: { probe: name, error: String(error) } };
  }
}

async function invariantsOf(context: StepContext, domain: Domain): Promise<readonly Look[]> {
  if (!domain.runbook || !(await isLive(context, domain.name))) return [];
  const looks: Look[] = [];
  for (const one of domain.runbook.invariants) {
    context.signal.throwIfAborted();
    looks.push(await holds(context, one));
  }
  return looks;
}

async function holds({ world }: StepContext, { name, severity, find }: Invariant): Promise<Look> {
  try {
    const found = await find(world.application, SAMPLE);
    const facts = { probe: name, severity, violations: found.length, sample: textOf(found) };
    return { outcome: found.length === 0 ? 'pass' : 'fail', facts };
  } catch (error) {
    return { outcome: 'inconclusive', facts: { probe: name, severity, error: String(error) } };
  }
}

/** Nothing may have happened since: the run's own marker, or the end of its last step that switched something off. */
async function sinceOf({ world: { control }, runId }: StepContext): Promise<Date> {
  const { rows } = await control.query(
    `SELECT coalesce(
       (SELECT max(at) FROM control.marker WHERE run_id = $1),
       (SELECT max(finished_at) FROM control.run_step WHERE run_id = $1 AND action IN ('flag.off', 'jobs.stop')),
       clock_timestamp()) AS since`,
    [runId],
  );
  return z.tuple([z.object({ since: z.date() })]).parse(rows)[0].since;
}

async function isLive({ world: { application } }: StepContext, schema: string): Promise<boolean> {
  const { rowCount } = await application.query(`SELECT WHERE to_regnamespace($1) IS NOT NULL`, [schema]);
  return rowCount === 1;
}

function textOf(rows: readonly object[]): string[] {
  return rows.map((row) =>
    JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
}
