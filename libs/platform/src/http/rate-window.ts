const windowMs = 60_000;
const mostKeys = 10_000;

export interface RateCount {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly reset: number;
  readonly exceeded: boolean;
}

/**
 * Requests by key in windows of a minute, in this process. A plain counter instead of a plugin, because it stands on
 * the path of every request and a promise there costs more than the counting.
 */
export class RateWindow {
  readonly #windows = new Map<string, { count: number; readonly began: number }>();

  constructor(private readonly limit: number) {}

  count(key: string, now = Date.now()): RateCount {
    let window = this.#windows.get(key);
    if (!window || now - window.began >= windowMs) {
      if (!window && this.#windows.size >= mostKeys) this.forgetOldest();
      window = { count: 0, began: now };
      // Last in the order of the map, so that the oldest window is the first.
      this.#windows.delete(key);
      this.#windows.set(key, window);
    }
    window.count += 1;
    return {
      limit: this.limit,
      remaining: Math.max(0, this.limit - window.count),
      reset: Math.ceil((window.began + windowMs - now) / 1_000),
      exceeded: window.count > this.limit,
    };
  }

  private forgetOldest(): void {
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined) this.#windows.delete(oldest);
  }
}
