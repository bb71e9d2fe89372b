import { describe, expect, it } from '@jest/globals';
import { statusOf } from './person-status.rules.js';

const there = { available: true, reason: null };
const away = (reason: 'leave' | 'sick' | 'override') => ({ available: false, reason });

describe('the status of a person', () => {
  it.each([
    ['leave', away('leave'), { status: 'active' }],
    ['leave', away('leave'), undefined],
    ['unavailable', away('sick'), { status: 'active' }],
    ['unavailable', away('override'), { status: 'paused' }],
    ['unavailable', away('override'), undefined],
    ['working', there, { status: 'active' }],
    ['paused', there, { status: 'paused' }],
    ['available', there, undefined],
  ] as const)('is %s for %o with the session %o', (expected, presence, session) => {
    expect(statusOf(presence, session)).toBe(expected);
  });
});
