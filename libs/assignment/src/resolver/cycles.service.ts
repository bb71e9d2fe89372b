import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import { ProductionReader } from '@belay/production';

interface Known {
  readonly at: number;
  readonly minutes: ReadonlyMap<string, number>;
}

const KEPT_MS = 10 * 60_000;
const MOST_NODES = 1_000;

/**
 * How long people take at a node. It is a mean over a month, so that ten minutes change next to nothing, and reading it
 * anew for every choice would cost more than all the rest of the choice.
 */
@Injectable()
export class Cycles {
  readonly #known = new Map<string, Known>();

  constructor(private readonly production: ProductionReader) {}

  /** As of the instant, or of at most ten minutes before or after it. */
  async of(
    on: Executor,
    { graphId, code }: { readonly graphId: string; readonly code: string },
    at: Date,
  ): Promise<ReadonlyMap<string, number>> {
    const key = `${graphId} ${code}`;
    const known = this.#known.get(key);
    if (known && Math.abs(at.getTime() - known.at) < KEPT_MS) return known.minutes;
    const minutes = await this.production.cycleMinutes(on, graphId, code, at);
    this.#known.delete(key);
    this.#known.set(key, { at: at.getTime(), minutes });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_NODES && oldest !== undefined) this.#known.delete(oldest);
    return minutes;
  }
}
