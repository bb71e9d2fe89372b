import { describe, expect, it } from '@jest/globals';
import { Caller, type Grant } from './caller.js';
import { gateContext } from './gate-context.js';

const caller = (roles: string[], grants: Grant[] = []) =>
  new Caller({ accountId: 'a1', username: 'robin', kind: 'person', roles, grants, requestId: 'r' });

describe('a caller, as gradual rollouts see them', () => {
  it.each([
    [['operator', 'supervisor', 'manager', 'admin'], 'admin'],
    [['supervisor', 'manager'], 'manager'],
    [['operator', 'supervisor'], 'supervisor'],
    [['operator'], 'other'],
    [[], 'other'],
  ])('with the roles %j counts as %s', (roles, role) => {
    expect(gateContext(caller(roles))).toEqual({ userId: 'a1', role });
  });

  it('is at a site when everything they hold is there', () => {
    const at = (...sites: (string | null)[]) =>
      gateContext(
        caller(
          [],
          sites.map((siteId, n) => ({ permission: `p:${n}`, siteId })),
        ),
      ).siteId;
    expect(at('s1', 's1')).toBe('s1');
    expect(at('s1', 's2')).toBeUndefined();
    expect(at('s1', null)).toBeUndefined();
    expect(at(null, 's1')).toBeUndefined();
    expect(at()).toBeUndefined();
  });
});
