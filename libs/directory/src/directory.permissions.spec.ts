import { describe, expect, it } from '@jest/globals';
import { grantsOf, isCompanyWide, permissions, roles, UNMASKED } from './directory.permissions.js';

const held = (...names: string[]) =>
  new Set(
    grantsOf(
      names.map((role) => ({ role, siteId: null })),
      [],
    ).map((grant) => grant.permission),
  );

describe('what roles bring', () => {
  it('is something for each of them', () => {
    for (const role of roles) expect(held(role).size).toBeGreaterThan(0);
  });

  it('has names that a route can ask for', () => {
    for (const permission of permissions) expect(permission).toMatch(/^[a-z]+(\.[a-z][a-z-]*)?:[a-z][a-z-]*$/);
  });

  it('never is the right to see people unmasked', () => {
    expect(held(...roles).has(UNMASKED)).toBe(false);
  });

  it('splits planning, approving and running a rollback over different roles', () => {
    const acts = ['rollback:plan', 'rollback:approve', 'rollback:execute', 'rollback:emergency', 'rollback:purge'];
    for (const role of roles) expect(acts.filter((act) => held(role).has(act)).length).toBeLessThanOrEqual(1);
    for (const act of acts) expect(held(...roles)).toContain(act);
  });

  it('lets an auditor see and export, and change nothing', () => {
    const changes = [...held('auditor')].filter((permission) => !/:(read|view|audit|export)$/.test(permission));
    expect(changes).toEqual(['directory.token:write']);
  });

  it('is nothing for a role that nobody knows', () => {
    expect(held('emperor').size).toBe(0);
  });
});

describe('a role at one site', () => {
  it('brings its permissions there and nothing that is company-wide', () => {
    const grants = grantsOf([{ role: 'admin', siteId: 'one' }], [{ permission: 'rollback:purge', siteId: 'one' }]);
    expect(grants).toContainEqual({ permission: 'directory.account:write', siteId: 'one' });
    expect(grants.filter((grant) => grant.siteId === null || isCompanyWide(grant.permission))).toEqual([]);
  });

  it('does not repeat what two roles have in common', () => {
    const both = grantsOf(
      ['viewer', 'operator'].map((role) => ({ role, siteId: 'one' })),
      [],
    );
    expect(both).toHaveLength(held('operator').size - 1);
  });
});
