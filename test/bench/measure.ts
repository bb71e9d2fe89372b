import autocannon from 'autocannon';

export interface Contestant {
  readonly name: string;
  readonly request: autocannon.Options;
}

export interface Figures {
  readonly name: string;
  /** Requests a second, the median of the rounds. */
  readonly rate: number;
  /** To the first contestant, the floor: the median of the rounds, each compared within itself. */
  readonly ratio: number;
  readonly p95: number;
  readonly failed: number;
}

/**
 * Drives the contestants in turns, so that whatever else the machine does hits all of them, and takes each one's median
 * round. The first turn only warms up.
 */
export async function compare(contestants: readonly Contestant[], rounds = 9, seconds = 2): Promise<Figures[]> {
  const seen = new Map<string, autocannon.Result[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, request } of contestants) {
      const result = await autocannon({ connections: 16, duration: round === 0 ? 2 : seconds, ...request });
      if (round > 0) seen.get(name)?.push(result);
    }
  }
  const [floor = []] = seen.values();
  return [...seen].map(([name, results]) => ({
    name,
    ratio: median(results.map((result, round) => result.requests.average / (floor[round]?.requests.average ?? NaN))),
    rate: median(results.map((result) => result.requests.average)),
    p95: median(results.map((result) => result.latency.p97_5)),
    failed: results.reduce((sum, result) => sum + result.non2xx + result.errors + result.timeouts, 0),
  }));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** One line a contestant, with its ratio to the first: the floor. */
export function table(title: string, figures: readonly Figures[], goal?: number): string {
  const lines = figures.map(
    ({ name, rate, ratio, p95, failed }) =>
      `  ${name.padEnd(28)} ${rate.toFixed(0).padStart(7)}/s  p97.5 ${p95.toFixed(1).padStart(6)} ms  ratio ${ratio.toFixed(2)}  failed ${failed}`,
  );
  return [`${title}${goal === undefined ? '' : ` (goal: ratio ≥ ${goal})`}`, ...lines].join('\n');
}
