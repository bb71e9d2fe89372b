import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { Domain } from '../domain/domain.js';
import { BadFlags, defaultFlagsDocument, fingerprint, parseFlags, parseFlagsText } from './flags-document.js';
import { registeredFlags } from './registry.js';

@Module({})
class NoRoutes {}

const mill: Domain = {
  name: 'mill',
  title: 'Mill',
  flag: 'enable_mill',
  after: [],
  features: [{ flag: 'mill_guard', title: 'Guard', defaultOn: true }],
  module: NoRoutes,
};

describe('a flags document', () => {
  it.each([
    ['{', /JSON/],
    ['[]', /expected object/],
    ['{}', /features/],
    ['{"features": [{"name": "", "enabled": true}]}', /features\[0\]\.name/],
    ['{"features": [{"name": "a", "enabled": 1}]}', /features\[0\]\.enabled/],
    ['{"features": [{"name": "a", "enabled": true, "strategies": [{}]}]}', /strategies\[0\]\.name/],
    [
      '{"features": [{"name": "a", "enabled": true, "strategies": [{"name": "default", "constraints": [{"operator": "IN"}]}]}]}',
      /constraints\[0\]\.contextName/,
    ],
  ])('%s is refused with the place where it is wrong', (text, reason) => {
    expect(() => parseFlagsText(text)).toThrow(BadFlags);
    expect(() => parseFlagsText(text)).toThrow(reason);
  });

  it('keeps what we do not know of, and drops strategies that are disabled', () => {
    const { features } = parseFlags({
      features: [
        {
          name: 'a',
          enabled: true,
          project: 'default',
          strategies: [
            { name: 'default', disabled: true },
            { name: 'later', sortOrder: 7 },
          ],
        },
      ],
    });
    expect(features).toEqual([
      {
        name: 'a',
        enabled: true,
        project: 'default',
        strategies: [{ name: 'later', sortOrder: 7, parameters: {}, constraints: [] }],
      },
    ]);
  });

  it('has the same fingerprint in any order, and another one when anything differs', () => {
    const [one, other] = [
      { name: 'a', enabled: true, strategies: [{ name: 'default' }] },
      { name: 'b', enabled: false, strategies: [] },
    ];
    const print = (...features: unknown[]) => fingerprint(parseFlags({ features }));
    expect(print(one, other)).toBe(print(other, one));
    expect(print(one, other)).not.toBe(print(one, { ...other, enabled: true }));
    expect(print(one, other)).not.toBe(print(one));
  });

  it('of a release has every flag with its default, one word away from being on for everybody', () => {
    const { features } = defaultFlagsDocument([mill]);
    expect(features.map(({ name, enabled }) => [name, enabled])).toEqual([
      ['enable_mill', false],
      ['mill_guard', true],
      ['emergency_rollback', false],
    ]);
    for (const { name, strategies } of features) {
      const parameters = { rollout: '100', stickiness: 'default', groupId: name };
      expect(strategies).toEqual([{ name: 'flexibleRollout', parameters, constraints: [] }]);
    }
  });
});

describe('the flags of a release', () => {
  it('are each of one domain or feature', () => {
    const copy = { ...mill, name: 'copy', flag: 'enable_copy' };
    expect(() => registeredFlags([mill, copy])).toThrow('mill_guard');
    expect(registeredFlags([mill]).map(({ flag, feature }) => [flag, feature])).toEqual([
      ['enable_mill', false],
      ['mill_guard', true],
    ]);
  });
});
