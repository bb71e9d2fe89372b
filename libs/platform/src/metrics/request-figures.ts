/** What was served of one module in one minute. */
export interface MinuteFigures {
  /** Milliseconds since 1970. */
  readonly minute: number;
  readonly domain: string;
  readonly requests: number;
  /** Answers that say that something is wrong here (5xx). */
  readonly errors: number;
  /** How many took at most as long as each of `latencyMs`; the last slot has those that took longer. */
  readonly slots: readonly number[];
}

export const latencyMs = [2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000] as const;
const MINUTE_MS = 60_000;
/** While nobody takes them away. */
const MOST_MINUTES = 60;

interface Counting {
  requests: number;
  errors: number;
  readonly slots: number[];
}

/** Counts requests by minute and module, in memory, until somebody takes the counts away. */
export class RequestFigures {
  readonly #minutes = new Map<number, Map<string, Counting>>();

  note(domain: string, status: number, ms: number): void {
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    let domains = this.#minutes.get(minute);
    if (!domains) {
      this.#minutes.set(minute, (domains = new Map<string, Counting>()));
      const [oldest] = this.#minutes.keys();
      if (this.#minutes.size > MOST_MINUTES && oldest !== undefined) this.#minutes.delete(oldest);
    }
    let counting = domains.get(domain);
    if (!counting) {
      counting = { requests: 0, errors: 0, slots: new Array<number>(latencyMs.length + 1).fill(0) };
      domains.set(domain, counting);
    }
    counting.requests += 1;
    if (status >= 500) counting.errors += 1;
    const slot = latencyMs.findIndex((bound) => ms <= bound);
    const place = slot < 0 ? latencyMs.length : slot;
    counting.slots[place] = (counting.slots[place] ?? 0) + 1;
  }

  /** What was counted since the last call. */
  take(): readonly MinuteFigures[] {
    const taken = [...this.#minutes].flatMap(([minute, domains]) =>
      [...domains].map(([domain, { requests, errors, slots }]) => ({ minute, domain, requests, errors, slots })),
    );
    this.#minutes.clear();
    return taken;
  }
}
