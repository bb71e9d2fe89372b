import type pg from 'pg';
import { RunInProgress } from '../rollback.problems.js';

export type Scope = 'live' | 'drill';

/** The right to change what belongs to a scope, as long as it is renewed. */
export interface Lease {
  readonly scope: Scope;
  readonly holder: string;
  /** Grows with every holder; what is done under an older one is refused. */
  readonly epoch: bigint;
}

export interface LeasePurpose {
  /** For people, e.g. `run`, `migration`, `deployment`. */
  readonly purpose: string;
  readonly runId?: string | null;
  readonly ttlMs?: number;
}

export interface LeaseState {
  readonly holder: string | null;
  readonly epoch: bigint;
  readonly purpose: string | null;
  readonly runId: string | null;
  readonly live: boolean;
}

export const LEASE_TTL_MS = 3_000;
export const HEARTBEAT_MS = 1_000;

// A run keeps the others out also while nobody works at it.
const free = `
  (holder IS NULL OR heartbeat_at < clock_timestamp() - ttl_ms * interval '1 ms')
  AND NOT EXISTS (
    SELECT FROM control.run r
    WHERE r.scope = lease.scope AND r.mode <> 'dry' AND r.id IS DISTINCT FROM $4::uuid
      AND (r.state IN ('running', 'verifying', 'failed', 'compensating', 'manual')
           OR (r.state = 'paused' AND r.paused_for <> 'preempted')))`;
const take = (condition: string) => `
  UPDATE control.lease
  SET holder = $2, epoch = epoch + 1, purpose = $3, run_id = $4::uuid, ttl_ms = $5, heartbeat_at = clock_timestamp()
  WHERE scope = $1 AND ${condition}
  RETURNING epoch`;

/** The lease of a scope when it is free, or its holder has not been heard of for its time to live; else undefined. */
export async function acquireLease(
  on: pg.Pool | pg.ClientBase,
  scope: Scope,
  holder: string,
  { purpose, runId = null, ttlMs = LEASE_TTL_MS }: LeasePurpose,
): Promise<Lease | undefined> {
  const { rows } = await on.query<{ epoch: string }>(take(free), [scope, holder, purpose, runId, ttlMs]);
  return rows[0] && { scope, holder, epoch: BigInt(rows[0].epoch) };
}

/** The lease, whoever has it: the former holder learns it at its next heartbeat, or at the next door. */
export async function seizeLease(
  on: pg.Pool | pg.ClientBase,
  scope: Scope,
  holder: string,
  { purpose, runId = null, ttlMs = LEASE_TTL_MS }: LeasePurpose,
): Promise<Lease> {
  const { rows } = await on.query<{ epoch: string }>(take('true'), [scope, holder, purpose, runId, ttlMs]);
  if (!rows[0]) throw new Error(`There is no lease for ${scope}`);
  return { scope, holder, epoch: BigInt(rows[0].epoch) };
}

/** Whether it is still held. */
export async function renewLease(on: pg.Pool | pg.ClientBase, lease: Lease): Promise<boolean> {
  const { rowCount } = await on.query(
    `UPDATE control.lease SET heartbeat_at = clock_timestamp() WHERE scope = $1 AND holder = $2 AND epoch = $3`,
    [lease.scope, lease.holder, lease.epoch],
  );
  return rowCount === 1;
}

/** Goes on counting beyond an epoch that is known elsewhere. Throws when the lease is no longer held. */
export async function liftEpoch(on: pg.Pool | pg.ClientBase, lease: Lease, beyond: bigint): Promise<Lease> {
  const epoch = beyond + 1n;
  const { rowCount } = await on.query(
    `UPDATE control.lease SET epoch = $4 WHERE scope = $1 AND holder = $2 AND epoch = $3`,
    [lease.scope, lease.holder, lease.epoch, epoch],
  );
  if (rowCount !== 1) throw new LeaseLost(lease.scope);
  return { ...lease, epoch };
}

/** Gives it back; what is held by another stays so. */
export async function releaseLease(on: pg.Pool | pg.ClientBase, lease: Lease): Promise<void> {
  await on.query(
    `UPDATE control.lease SET holder = NULL, purpose = NULL, run_id = NULL, heartbeat_at = NULL
     WHERE scope = $1 AND holder = $2 AND epoch = $3`,
    [lease.scope, lease.holder, lease.epoch],
  );
}

/** Who has it, for checks and refusals. */
export async function readLease(on: pg.Pool | pg.ClientBase, scope: Scope): Promise<LeaseState> {
  const { rows } = await on.query<{
    holder: string | null;
    epoch: string;
    purpose: string | null;
    run_id: string | null;
    live: boolean;
  }>(
    `SELECT holder, epoch, purpose, run_id,
            holder IS NOT NULL AND heartbeat_at >= clock_timestamp() - ttl_ms * interval '1 ms' AS live
     FROM control.lease WHERE scope = $1`,
    [scope],
  );
  const [row] = rows;
  if (!row) throw new Error(`There is no lease for ${scope}`);
  const { holder, epoch, purpose, run_id: runId, live } = row;
  return { holder, epoch: BigInt(epoch), purpose, runId, live };
}

/**
 * Renews a lease every second until `stop` is called. `lost` is called once, when another has taken it, or when it could
 * not be renewed for so long that another may.
 */
export function keepLease(
  on: pg.Pool | pg.ClientBase,
  lease: Lease,
  lost: () => void,
  { ttlMs, heartbeatMs }: { ttlMs: number; heartbeatMs: number } = { ttlMs: LEASE_TTL_MS, heartbeatMs: HEARTBEAT_MS },
): { stop: () => void } {
  let renewedAt = performance.now();
  let asking = false;
  const stop = () => {
    clearInterval(timer);
  };
  const lose = () => {
    stop();
    lost();
  };
  const renew = async () => {
    const askedAt = performance.now();
    if (!(await renewLease(on, lease))) {
      lose();
      return;
    }
    renewedAt = askedAt;
  };
  const timer = setInterval(() => {
    if (performance.now() - renewedAt > ttlMs) {
      lose();
      return;
    }
    if (asking) return;
    asking = true;
    renew()
      // Asked again in a second, until the time to live is over.
      .catch(() => undefined)
      .finally(() => {
        asking = false;
      });
  }, heartbeatMs);
  return { stop };
}

/** Does the work under the lease; throws `RunInProgress` when it cannot be had. The signal is aborted when it is lost. */
export async function withLease<Result>(
  on: pg.Pool,
  scope: Scope,
  holder: string,
  purpose: LeasePurpose,
  work: (lease: Lease, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const lease = await acquireLease(on, scope, holder, purpose);
  if (!lease) throw RunInProgress.holding(scope, await readLease(on, scope));
  const lost = new AbortController();
  const keeping = keepLease(on, lease, () => {
    lost.abort(new LeaseLost(scope));
  });
  try {
    return await work(lease, lost.signal);
  } finally {
    keeping.stop();
    await releaseLease(on, lease).catch(() => undefined);
  }
}

/** Somebody else holds the lease now, or may. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor(scope: Scope) {
    super(`The lease of ${scope} is lost`);
  }
}
