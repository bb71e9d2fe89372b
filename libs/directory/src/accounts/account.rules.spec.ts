import { describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { governs, reaches } from './account.rules.js';

function holding(...sites: (string | null)[]): Caller {
  const grants = sites.map((siteId) => ({ permission: 'directory.account:write', siteId }));
  return new Caller({ accountId: 'a', username: 'a', kind: 'person', roles: [], grants, requestId: 'r' });
}

const at = (...sites: string[]) => ({ everywhere: false, sites });
const everywhere = { everywhere: true, sites: [] };
const write = 'directory.account:write';

describe('an account', () => {
  it.each([
    ['of one site', at('one'), true, true],
    ['of another site', at('two'), false, false],
    ['of both', at('one', 'two'), true, false],
    ['of no site', at(), false, false],
    ['that belongs everywhere', everywhere, true, false],
  ])('%s is within reach of, and governed by, who holds the permission at one', (_, places, reached, governed) => {
    expect(reaches(holding('one'), write, places)).toBe(reached);
    expect(governs(holding('one'), write, places)).toBe(governed);
  });

  it.each([[at('one')], [at()], [everywhere]])(
    'like %j is governed by who holds the permission everywhere',
    (places) => {
      expect(reaches(holding(null), write, places)).toBe(true);
      expect(governs(holding(null), write, places)).toBe(true);
    },
  );

  it('is out of reach of who holds the permission nowhere', () => {
    expect(reaches(holding(), write, everywhere)).toBe(false);
    expect(governs(holding(), write, at('one'))).toBe(false);
  });
});
