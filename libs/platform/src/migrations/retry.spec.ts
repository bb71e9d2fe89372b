import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { LockNotGranted } from './migrations.problems.js';
import { retryLocked } from './retry.js';

const refusal = (code: string) =>
  Object.assign(new pg.DatabaseError('canceling statement due to lock timeout', 0, 'error'), { code });

/** A clock on which attempts take the two seconds after which the server gives up, and pauses are remembered. */
function clockWith(random: () => number) {
  const pauses: number[] = [];
  let now = 0;
  return {
    pauses,
    tick: () => (now += 2_000),
    now: () => now,
    random,
    sleep: (ms: number) => {
      pauses.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

describe('waiting for a lock', () => {
  it.each(['55P03', '40P01'])('tries again after %s', async (code) => {
    const clock = clockWith(() => 0.5);
    let attempts = 0;
    const result = await retryLocked(() => {
      attempts++;
      return attempts < 3 ? Promise.reject(refusal(code)) : Promise.resolve('done');
    }, clock);

    expect(result).toBe('done');
    expect(clock.pauses).toEqual([500, 1_000]);
  });

  it.each(['57014', '23505', '40001', '55000'])('does not try again after %s', async (code) => {
    const clock = clockWith(() => 0.5);
    let attempts = 0;
    const failing = retryLocked(() => {
      attempts++;
      return Promise.reject(refusal(code));
    }, clock);

    await expect(failing).rejects.toMatchObject({ code });
    expect(attempts).toBe(1);
  });

  it('does not try again after an error that is not the server’s', async () => {
    const clock = clockWith(() => 0.5);
    await expect(retryLocked(() => Promise.reject(new Error('55P03')), clock)).rejects.toThrow('55P03');
    expect(clock.pauses).toEqual([]);
  });

  it('doubles the longest pause from one second', async () => {
    const almostOne = 1 - Number.EPSILON;
    const clock = clockWith(() => almostOne);
    await expect(
      retryLocked(() => {
        clock.tick();
        return Promise.reject(refusal('55P03'));
      }, clock),
    ).rejects.toBeInstanceOf(LockNotGranted);
    expect(clock.pauses.map(Math.round)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it.each([0, 0.1, 0.5, 0.9, 1 - Number.EPSILON])('has given up when 60 s are over, with jitter %d', async (jitter) => {
    const clock = clockWith(() => jitter);
    let attempts = 0;
    const failing = retryLocked(() => {
      attempts++;
      clock.tick();
      return Promise.reject(refusal('55P03'));
    }, clock);

    await expect(failing).rejects.toMatchObject({ slug: 'lock-not-granted' });
    expect(clock.pauses).toHaveLength(attempts - 1);
    expect(clock.now()).toBeLessThanOrEqual(60_000);
    expect(attempts).toBeGreaterThan(4);
  });
});
