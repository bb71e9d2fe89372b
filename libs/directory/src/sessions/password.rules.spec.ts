import { describe, expect, it } from '@jest/globals';
import { passwordWeakness } from './password.rules.js';

describe('a new password', () => {
  it.each([
    ['is too short by one character', 'elevenchar1', /fewer than 12/],
    ['has just enough characters', 'twelve chars', undefined],
    ['is as long as it may be', 'x1y'.repeat(66) + 'zz', undefined],
    ['is too long by one character', 'x1y'.repeat(67), /more than 200/],
    ['counts characters, not code units', '🧗🪢🏔️⛰️🧊', /fewer than 12/],
    ['contains the username in capitals', 'my name is KEN0!', /username/],
    ['is a common one', 'Password1234', /tried first/],
    ['repeats two characters', 'abababababab', /repeats/],
    ['needs neither digit nor sign', 'quiet harbour lamps', undefined],
  ])('that %s', (_, password, weakness) => {
    if (weakness) expect(passwordWeakness(password, 'ken0')).toMatch(weakness);
    else expect(passwordWeakness(password, 'ken0')).toBeUndefined();
  });
});
