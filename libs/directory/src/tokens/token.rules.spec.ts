import { describe, expect, it } from '@jest/globals';
import { beyond } from './token.rules.js';

const everywhere = [{ permission: 'sop:read', siteId: null }];
const here = [{ permission: 'sop:read', siteId: 'here' }];

describe('the scopes of a token', () => {
  it.each([
    ['held everywhere, for any site', ['sop:read'], null, everywhere, []],
    ['held everywhere, for one site', ['sop:read'], 'here', everywhere, []],
    ['held at one site, for wherever the account has them', ['sop:read'], null, here, []],
    ['held at one site, for that site', ['sop:read'], 'here', here, []],
    ['held at one site, for another', ['sop:read'], 'there', here, [0]],
    ['not held', ['sop:read', 'sop:publish'], null, everywhere, [1]],
    ['of an account without any', ['sop:read'], null, [], [0]],
  ])('%s', (_, scopes, siteId, grants, refused) => {
    expect(beyond(scopes, siteId, grants)).toEqual(refused);
  });
});
