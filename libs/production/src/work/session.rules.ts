import type { SessionView } from './session.contract.js';
import type { SessionRow } from './session.queries.js';

/** A session as it is told, with its clocks as they stand at that instant. */
export function sessionViewOf(session: SessionRow, at: Date): SessionView {
  const { status, startedAt, pausedAt, resumedAt, endedAt } = session;
  const since = (anchor: Date) => Math.max(0, (at.getTime() - anchor.getTime()) / 1_000);
  return {
    ...session,
    startedAt: startedAt.toISOString(),
    pausedAt: pausedAt?.toISOString() ?? null,
    resumedAt: resumedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    workSeconds: session.workSeconds + (status === 'active' ? since(resumedAt ?? startedAt) : 0),
    pauseSeconds: session.pauseSeconds + (status === 'paused' && pausedAt ? since(pausedAt) : 0),
  };
}
