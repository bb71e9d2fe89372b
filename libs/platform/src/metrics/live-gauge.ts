import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

export interface Reading<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** Read at every scrape; may fail, and is left out when it takes longer than a second. */
export type Source<Label extends string> = () => readonly Reading<Label>[] | Promise<readonly Reading<Label>[]>;

const patienceMs = 1_000;

/** A gauge that is read when it is asked for, from sources that come and go with the applications of the process. */
export class LiveGauge<Label extends string = never> {
  readonly #sources = new Set<Source<Label>>();

  constructor(registry: Registry, name: string, help: string, labelNames: readonly Label[]) {
    const sources = this.#sources;
    const gauge = new Gauge<Label>({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect: async () => {
        const readings = await Promise.all([...sources].map(read));
        gauge.reset();
        for (const { labels, value } of readings.flat()) gauge.inc({ ...labels }, value);
      },
    });
  }

  /** Asks the source too, until the answered function is called. What several sources say under the same labels adds up. */
  from(source: Source<Label>): () => void {
    this.#sources.add(source);
    return () => void this.#sources.delete(source);
  }
}

/** What cannot be read leaves a gap in the curve, not an unanswered scrape. */
async function read<Label extends string>(source: Source<Label>): Promise<readonly Reading<Label>[]> {
  const stop = new AbortController();
  const tooLate = sleep(patienceMs, [], { signal: stop.signal, ref: false }).catch(() => []);
  try {
    return await Promise.race([source(), tooLate]);
  } catch {
    return [];
  } finally {
    stop.abort();
  }
}
