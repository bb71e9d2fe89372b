import type pg from 'pg';
import type { Logger } from 'pino';
import type { MinuteFigures, RequestFigures } from './request-figures.js';

const EVERY_MS = 60_000;
const KEPT = '14 days';

export interface FigureLogOptions {
  readonly processId: string;
  readonly figures: RequestFigures;
  /** Connections to the control database that nothing slow uses. */
  readonly pool: pg.Pool;
  readonly log: Logger;
}

/**
 * Writes down once a minute, and at the end, what this process has served, and clears away what is two weeks old. What
 * cannot be written is lost: nobody waits for it.
 */
export class RequestFigureLog {
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: FigureLogOptions) {}

  begin(): void {
    this.#timer = setInterval(() => void this.write(), EVERY_MS).unref();
  }

  /** What was counted so far is there when the promise is kept. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.turn());
    return this.#writing;
  }

  async close(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    await this.write();
  }

  private async turn(): Promise<void> {
    const { figures, pool, processId, log } = this.options;
    const taken = figures.take();
    if (taken.length === 0) return;
    try {
      await pool.query(upsert, [processId, JSON.stringify(taken.map(rowOf))]);
    } catch (error) {
      log.warn({ err: error }, 'figures of requests not written');
    }
  }
}

function rowOf({ minute, slots, ...counts }: MinuteFigures): object {
  return { ...counts, minute: new Date(minute).toISOString(), slots };
}

const upsert = `
  WITH forgotten AS (
    DELETE FROM control.request_figure WHERE minute < clock_timestamp() - interval '${KEPT}'
  )
  INSERT INTO control.request_figure AS present (minute, domain, process_id, requests, errors, slots)
  SELECT minute, domain, $1, requests, errors, slots
  FROM jsonb_to_recordset($2::jsonb) AS f (minute timestamptz, domain text, requests integer, errors integer, slots integer[])
  ON CONFLICT (minute, domain, process_id) DO UPDATE SET
    requests = present.requests + excluded.requests, errors = present.errors + excluded.errors,
    slots = (SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY place)
             FROM ROWS FROM (unnest(present.slots), unnest(excluded.slots)) WITH ORDINALITY AS s (a, b, place))`;
