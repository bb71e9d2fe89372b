import type { RunEventView, RunView } from '../runs/run.contract.js';
import { RunEventLog } from '../runs/run-events.service.js';
import { RunReader } from '../runs/run-reader.service.js';
import type { Session } from './shell.js';
import { eventText } from './run-text.rules.js';

/** Whom only people can bring on. */
const resting = new Set(['run.paused', 'run.manual', 'run.checked']);

/**
 * Follows a run, telling every line of it, until it is at an end or rests until somebody decides. Answers the run as it
 * is then.
 */
export async function watchRun(session: Session, runId: string, after = 0): Promise<RunView> {
  const reader = session.get(RunReader);
  const enough = new AbortController();
  const { steps, planId } = await reader.get(runId);
  const { rows } = await session.world.control.query<{ estimate: number }>(
    `SELECT (doc->>'estimateS')::float8 AS estimate FROM control.plan WHERE id = $1`,
    [planId],
  );
  const estimateS = rows[0]?.estimate ?? 0;
  const looks: Promise<void>[] = [];
  const look = async () => {
    const { state, pausedFor } = await reader.get(runId);
    if (state === 'manual' || (state === 'paused' && pausedFor !== 'lost-lease')) enough.abort();
  };
  const tell = (event: RunEventView) => {
    const line = eventText(event, steps, estimateS);
    if (line !== undefined) session.note(line);
    if (resting.has(event.type)) looks.push(look());
  };
  await session.get(RunEventLog).follow(runId, after, tell, enough.signal);
  await Promise.all(looks);
  return reader.get(runId);
}
