import { describe, expect, it } from '@jest/globals';
import { afterFailure } from './failure.rules.js';

const critical = { critical: true, emergency: 'must' } as const;
const optional = { critical: true, emergency: 'may' } as const;
const run = (policy: 'compensate' | 'hold' | 'continue', mode: 'normal' | 'emergency' = 'normal') => ({ mode, policy });

describe('what becomes of a run when a step did not come off', () => {
  it.each([
    ['compensate', 'compensate', 'compensate'],
    ['compensate', 'hold', 'hold'],
    ['hold', 'compensate', 'hold'],
    ['hold', 'hold', 'hold'],
    ['hold', 'continue', 'hold'],
  ] as const)('the step says %s, the run %s: %s', (onFail, policy, expected) => {
    expect(afterFailure(run(policy), { onFail }, critical)).toBe(expected);
  });

  it('only what may be left out is passed over', () => {
    expect(afterFailure(run('continue'), { onFail: 'compensate' }, optional)).toBe('continue');
    expect(afterFailure(run('continue'), { onFail: 'compensate' }, critical)).toBe('compensate');
    expect(afterFailure(run('compensate'), { onFail: 'continue' }, critical)).toBe('compensate');
  });

  it('what is not critical never stops a run, and nothing stops an emergency', () => {
    expect(afterFailure(run('compensate'), { onFail: 'compensate' }, { critical: false, emergency: 'never' })).toBe(
      'continue',
    );
    expect(afterFailure(run('hold', 'emergency'), { onFail: 'hold' }, critical)).toBe('continue');
  });
});
