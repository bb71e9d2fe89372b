import { hostname } from 'node:os';
import type pg from 'pg';
import type { Logger } from 'pino';

export interface ActiveJob {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  readonly since: string;
}

export interface PresenceOptions {
  readonly processId: string;
  readonly role: 'api' | 'worker' | 'cli';
  readonly buildSha: string;
  /** Connections to the control database that nothing slow uses. */
  readonly pool: pg.Pool;
  readonly log: Logger;
}

const beatMs = 1_000;
const forgottenAfter = '1 day';

/**
 * What the others may know of this process: a row that is written every second, and at once when an override is in
 * force here. A row older than five seconds is of a process that died.
 */
export class Presence {
  readonly activeJobs = new Map<string, ActiveJob>();
  readonly #lastRequest = new Map<string, number>();
  #booted: readonly string[] = [];
  #url: string | null = null;
  #seq = 0n;
  #flagsSha256 = () => '';
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #failing = false;

  constructor(private readonly options: PresenceOptions) {}

  /** Begins to tell; ends when the row is there, or cannot be written for now. */
  async begin(flagsSha256: () => string): Promise<void> {
    this.#flagsSha256 = flagsSha256;
    await this.beat();
    this.#timer = setInterval(() => void this.beat(), beatMs).unref();
  }

  /** Names of the domains that are composed here; a change is told at once. */
  get booted(): readonly string[] {
    return this.#booted;
  }

  set booted(names: readonly string[]) {
    this.#booted = names;
    void this.tell();
  }

  /** Tells where the process can be asked over HTTP from now on. */
  listensAt(url: string): void {
    this.#url = url;
    void this.tell();
  }

  /** Notes that a domain was asked something. */
  requested(domain: string): void {
    this.#lastRequest.set(domain, Date.now());
  }

  get lastRequest(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#lastRequest].map(([domain, at]) => [domain, new Date(at).toISOString()]));
  }

  /** Every decision taken from now on respects the override. */
  acknowledge(seq: bigint): void {
    this.#seq = seq;
    const { pool, processId } = this.options;
    pool
      .query(`UPDATE control.process SET applied_seq = $2, at = clock_timestamp() WHERE id = $1`, [processId, seq])
      .catch(() => {
        // The next beat says the same.
      });
  }

  /** Nobody waits for a process that has ended in order. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#beating;
    const { pool, processId, log } = this.options;
    await pool.query(`DELETE FROM control.process WHERE id = $1`, [processId]).catch((error: unknown) => {
      log.warn({ err: error }, 'process not signed off');
    });
  }

  private async tell(): Promise<void> {
    await this.#beating;
    if (this.#timer) await this.beat();
  }

  /** Skipped while one is under way: a slow database gets no queue of them. */
  private async beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = this.write();
    await this.#beating;
    this.#beating = undefined;
  }

  private async write(): Promise<void> {
    const { pool, processId, role, buildSha, log } = this.options;
    try {
      await pool.query(upsert, [
        processId,
        role,
        hostname(),
        process.pid,
        buildSha,
        this.#seq,
        this.#flagsSha256(),
        JSON.stringify(this.booted),
        JSON.stringify(this.lastRequest),
        JSON.stringify([...this.activeJobs.values()]),
        this.#url,
      ]);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ err: error }, 'heartbeat not written');
      this.#failing = true;
    }
  }
}

// An acknowledgement may overtake a beat that was composed before it.
const upsert = `
  WITH forgotten AS (
    DELETE FROM control.process WHERE at < clock_timestamp() - interval '${forgottenAfter}' AND id <> $1
  )
  INSERT INTO control.process AS process
    (id, role, host, pid, build_sha, applied_seq, flags_sha, booted, last_request, active_jobs, url, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET
    applied_seq = greatest(process.applied_seq, excluded.applied_seq), flags_sha = excluded.flags_sha, booted = excluded.booted,
    last_request = excluded.last_request, active_jobs = excluded.active_jobs, url = excluded.url, at = excluded.at`;
