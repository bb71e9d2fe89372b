import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Verdict } from './verdict.js';

const SEED = 2026;
/** Of the whole plant, which `npm run bench` simulates. */
const FIFTH = 0.2;
const TWENTIETH = 0.05;

/** Ids are made in the order of a counter: whatever is decided by them, as a last resort, is the same in every run. */
function countIds(): void {
  let last = 0;
  const randomUUIDv7 = () => {
    last += 1;
    return `019a0000-0000-7000-8000-${last.toString(16).padStart(12, '0')}`;
  };
  const crypto: unknown = createRequire(import.meta.url)('node:crypto');
  Object.assign(z.looseObject({}).parse(crypto), { randomUUIDv7 });
}

describe('a plant in virtual time', () => {
  let simulate: (share: number, sharedBy: 'load' | 'turns') => Promise<Verdict>;
  beforeAll(async () => {
    countIds();
    // Only now, so that they make their ids in that order.
    const { build, scenarioOf } = await import('./simulated-plant.js');
    const { Simulation } = await import('./simulation.js');
    const { verdictOn } = await import('./verdict.js');
    simulate = async (share, sharedBy) => {
      const scenario = scenarioOf(SEED, share);
      const plant = await build(scenario, sharedBy);
      try {
        return await verdictOn(plant, scenario, await new Simulation(plant, scenario).run());
      } finally {
        await plant.shop.close();
      }
    };
  });

  it('makes everything once, loses no work and does none twice, and shares it out more evenly than by turns', async () => {
    const [load, turns] = await Promise.all([simulate(FIFTH, 'load'), simulate(FIFTH, 'turns')]);
    for (const { faults } of [load, turns]) expect(faults).toEqual([]);
    expect(load.sigma).toBeLessThanOrEqual(0.75 * turns.sigma);
    expect(load.promises).toBeGreaterThan(0);
  }, 300_000);

  it('is the same in every run', async () => {
    const one = await simulate(TWENTIETH, 'load');
    const other = await simulate(TWENTIETH, 'load');
    expect(other.trace).toEqual(one.trace);
    expect(other.sigma).toBe(one.sigma);
  }, 300_000);
});
