import { EMERGENCY_ROLLBACK, PLATFORM_WRITES, registeredFlags } from '@belay/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Done, Evidence, StepContext } from '../engine/action.js';
import type { JsonObject } from '../engine/json.js';
import { FlagUnknown } from '../rollback.problems.js';
import { acknowledged, liveProcesses, placeOf, type LiveProcess } from './live-process.queries.js';
import { overlayScope, override, overrideOf, writeOverride, type Override } from './override.queries.js';
import { askEveryApi, type Board, boardOf, factsOf, together, type Look } from './probe.service.js';

/** A live process takes a second when nobody tells it; one that died is known to be dead after five. */
const OBEYED_WITHIN_MS = 7_000;

const beforeOf = z.object({ override: override.nullable() });
const flagResult = z.object({ flag: z.string(), changed: z.boolean(), seq: z.string() });
type FlagResult = z.infer<typeof flagResult>;

/** Throws for a flag that no process would look at. */
export function checkFlag({ world }: StepContext, flag: string): void {
  const known = [EMERGENCY_ROLLBACK, PLATFORM_WRITES, ...registeredFlags(world.domains).map((one) => one.flag)];
  if (!known.includes(flag)) throw new FlagUnknown(flag, known);
}

/** What the overlay has on the flag now, and who wrote it. */
export async function inspectFlag(context: StepContext, flag: string): Promise<JsonObject> {
  checkFlag(context, flag);
  return { flag, override: await overrideOf(context.world.control, overlayScope(context), flag) };
}

/** Writes the override when `wanted` says so of the row that is there, and answers the number that must be obeyed. */
export async function switchFlag(
  context: StepContext,
  flag: string,
  off: boolean,
  wanted: (present: Override | null) => boolean,
): Promise<FlagResult> {
  checkFlag(context, flag);
  const { reason, actor, runId } = context;
  return context.inControl(async (client) => {
    const scope = overlayScope(context);
    const present = await overrideOf(client, scope, flag);
    if (!wanted(present))
      return { flag, changed: present?.runId === runId && present.off === off, seq: present?.seq ?? '0' };
    return { flag, changed: true, seq: await writeOverride(client, scope, flag, { off, reason, actor, runId }) };
  });
}

/** Puts the row back as it was before this run, unless somebody has written it since. */
export async function restoreFlag(context: StepContext, flag: string, { before }: Done): Promise<JsonObject> {
  const { override: former } = beforeOf.parse(before);
  return context.inControl(async (client) => {
    const scope = overlayScope(context);
    const present = await overrideOf(client, scope, flag);
    if (present?.runId !== context.runId) return { flag, restored: false, seq: present?.seq ?? '0' };
    const { reason, actor } = context;
    const row = former ?? { off: false, reason, actor, runId: null };
    const seq = await writeOverride(client, scope, flag, row);
    return { flag, restored: true, seq };
  });
}

/** Whether every live process obeys, by its own word to the database, and every API by what it answers over HTTP. */
export async function verifyFlag(context: StepContext, flag: string, off: boolean, done: Done): Promise<Evidence> {
  const { world, signal } = context;
  const { control } = world;
  const { changed, seq } = flagResult.parse(done.result ?? { flag, changed: false, seq: '0' });
  const until = Math.min(performance.now() + OBEYED_WITHIN_MS, context.deadline);
  const present = await overrideOf(control, overlayScope(context), flag);
  const row = { override: present, off: present?.off ?? false };
  if (row.off !== off) return { outcome: 'fail', facts: { ...row, reason: 'the override is not what was written' } };

  const { processes, behind, ms } = await acknowledged(control, BigInt(present?.seq ?? seq), until, signal);
  const facts = { ...row, changed, processes, ms, behind: behind.map(placeOf) };
  if (behind.length > 0) return { outcome: 'fail', facts };
  // Processes obey the overrides of `live` only; those of a drill are for its own stage.
  if (context.scope === 'drill') return { outcome: 'pass', facts };
  const looks = await lookAtApis(context, flag, off, until);
  return { outcome: together(looks), facts: { ...facts, looks: factsOf(looks) } };
}

async function lookAtApis(context: StepContext, flag: string, off: boolean, until: number): Promise<readonly Look[]> {
  const { world, signal } = context;
  for (;;) {
    const processes = await liveProcesses(world.control);
    const apis = processes.filter(({ role }) => role === 'api');
    const looks = await Promise.all(apis.map((api) => lookAtBoard(api, flag, off, signal)));
    const domain = world.domains.find((one) => one.flag === flag);
    const probes = off ? (domain?.runbook?.probes.off ?? []) : [];
    const http = probes.filter((probe) => probe.kind === 'http');
    const all = [...looks, ...(await askEveryApi(world, processes, http, signal))];
    if (together(all) === 'pass' || performance.now() >= until) return all;
    await sleep(100, undefined, { signal });
  }
}

async function lookAtBoard(api: LiveProcess, flag: string, off: boolean, signal: AbortSignal): Promise<Look> {
  const board = await boardOf(api, signal);
  const asked: JsonObject = { probe: 'the board of the process', process: api.id, url: api.url };
  if (!board) return { outcome: 'inconclusive', facts: { ...asked, error: 'no answer' } };
  const seen = stateOn(board, flag);
  const right = off ? seen.off : !seen.killed;
  return { outcome: right ? 'pass' : 'fail', facts: { ...asked, ...seen } };
}

/** What a board says of the flag. Lifting an override does not make a flag true: its source may say no. */
function stateOn(board: Board, flag: string): { readonly off: boolean; readonly killed: boolean } {
  if (flag === EMERGENCY_ROLLBACK) return { off: board.emergency, killed: board.emergency };
  if (flag === PLATFORM_WRITES) return { off: !board.writesAllowed, killed: !board.writesAllowed };
  for (const { verdict, features } of board.domains) {
    const found = [...(verdict ? [verdict] : []), ...features].find((one) => one.flag === flag);
    if (found) return { off: found.mode === 'off', killed: found.killed };
  }
  return { off: true, killed: false };
}
