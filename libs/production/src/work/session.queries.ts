import { statement } from '@belay/platform';

export const helpTypes = ['own', 'assist', 'replace'] as const;
export type HelpType = (typeof helpTypes)[number];

export const sessionStatuses = ['active', 'paused', 'completed', 'abandoned'] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

/** Seconds are as they were when the session was last stopped; while it is active the clock runs on from there. */
export interface SessionRow {
  readonly id: string;
  readonly tokenId: string;
  readonly nodeId: string;
  readonly operatorId: string;
  readonly helpType: HelpType;
  readonly status: SessionStatus;
  readonly startedAt: Date;
  readonly pausedAt: Date | null;
  readonly resumedAt: Date | null;
  readonly endedAt: Date | null;
  readonly workSeconds: number;
  readonly pauseSeconds: number;
  readonly pauseCount: number;
  readonly pauseReason: string | null;
}

export const sessionColumns = (s: string) => `${s}.id, ${s}.token_id AS "tokenId", ${s}.node_id AS "nodeId",
  ${s}.operator_id AS "operatorId", ${s}.help_type AS "helpType", ${s}.status, ${s}.started_at AS "startedAt",
  ${s}.paused_at AS "pausedAt", ${s}.resumed_at AS "resumedAt", ${s}.ended_at AS "endedAt",
  ${s}.work_seconds::float8 AS "workSeconds", ${s}.pause_seconds::float8 AS "pauseSeconds", ${s}.pause_count AS "pauseCount",
  ${s}.pause_reason AS "pauseReason"`;

const since = (at: string, anchor: string) => `greatest(extract(epoch FROM ${at} - ${anchor}), 0)`;
const worked = (at: string) =>
  `CASE WHEN status = 'active' THEN ${since(at, 'coalesce(resumed_at, started_at)')} ELSE 0 END`;
const rested = (at: string) => `CASE WHEN status IN ('paused', 'abandoned') THEN ${since(at, 'paused_at')} ELSE 0 END`;

/** $1 id, $2 token, $3 node, $4 operator, $5 help type, $6 time, $7 device. */
export const insertSession = statement<SessionRow>(
  'production.insert_session',
  `INSERT INTO production.token_work_session AS s
     (id, token_id, node_id, operator_id, help_type, status, started_at, device_id)
   VALUES ($1, $2, $3, $4, $5, 'active', $6, $7) RETURNING ${sessionColumns('s')}`,
);

/** The sessions on the tokens $1 that are not over, and whatever the operator $2 is working on; locked. */
export const lockOpenSessions = statement<SessionRow>(
  'production.lock_open_sessions',
  `SELECT ${sessionColumns('s')} FROM production.token_work_session s
   WHERE s.id IN (SELECT id FROM production.token_work_session WHERE token_id = ANY ($1::uuid[]) AND status IN ('active', 'paused')
                  UNION ALL
                  SELECT id FROM production.token_work_session WHERE operator_id = $2::uuid AND status = 'active')
     AND s.status IN ('active', 'paused')
   ORDER BY s.id FOR UPDATE`,
);

/** The clocks of the active sessions $1 stop at $2, because of $3. */
export const pauseSessions = statement<SessionRow>(
  'production.pause_sessions',
  `UPDATE production.token_work_session AS s SET
     work_seconds = s.work_seconds + ${worked('$2::timestamptz')}, status = 'paused', paused_at = $2,
     pause_count = s.pause_count + 1, pause_reason = $3
   WHERE s.id = ANY ($1::uuid[]) AND s.status = 'active' RETURNING ${sessionColumns('s')}`,
);

/** The clocks of the paused sessions $1 run again from $2 on. */
export const resumeSessions = statement<SessionRow>(
  'production.resume_sessions',
  `UPDATE production.token_work_session AS s SET
     pause_seconds = s.pause_seconds + ${rested('$2::timestamptz')}, status = 'active', resumed_at = $2, paused_at = NULL
   WHERE s.id = ANY ($1::uuid[]) AND s.status = 'paused' RETURNING ${sessionColumns('s')}`,
);

const ended = `
  work_seconds = s.work_seconds + ${worked('$2::timestamptz')},
  pause_seconds = s.pause_seconds + ${rested('$2::timestamptz')}, status = 'completed',
  ended_at = greatest($2::timestamptz, s.started_at)`;

/** Whoever works on the tokens $1 stops at $2; those who paused have rested until then. */
export const endSessionsOfTokens = statement<SessionRow>(
  'production.end_sessions_of_tokens',
  `UPDATE production.token_work_session AS s SET ${ended}
   WHERE s.token_id = ANY ($1::uuid[]) AND s.status IN ('active', 'paused') RETURNING ${sessionColumns('s')}`,
);

/** The sessions $1 stop at $2, whether they are active, paused or abandoned. */
export const endSessions = statement<SessionRow>(
  'production.end_sessions',
  `UPDATE production.token_work_session AS s SET ${ended}
   WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'completed' RETURNING ${sessionColumns('s')}`,
);

/** Nobody expects the paused sessions $1 to be resumed. Their clocks stay as they are. */
export const abandonSessions = statement<SessionRow>(
  'production.abandon_sessions',
  `UPDATE production.token_work_session AS s SET status = 'abandoned'
   WHERE s.id = ANY ($1::uuid[]) AND s.status = 'paused' RETURNING ${sessionColumns('s')}`,
);

/** The abandoned sessions $1 are paused again, as if they had been all the time. */
export const reopenSessions = statement<SessionRow>(
  'production.reopen_sessions',
  `UPDATE production.token_work_session AS s SET status = 'paused'
   WHERE s.id = ANY ($1::uuid[]) AND s.status = 'abandoned' RETURNING ${sessionColumns('s')}`,
);
