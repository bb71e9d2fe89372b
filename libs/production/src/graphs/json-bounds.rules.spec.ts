import { describe, expect, it } from '@jest/globals';
import { excessOf } from './json-bounds.rules.js';

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

function wide(keys: number): object {
  return Object.fromEntries(Array.from({ length: keys }, (_, n) => [`k${n}`, n]));
}

describe('a document inside a design', () => {
  it('is nested up to five levels', () => {
    expect(excessOf(nested(5))).toBeNull();
    expect(excessOf(nested(6))).toBe('must not be nested more than 5 levels');
  });

  it('has up to 50 fields in an object', () => {
    expect(excessOf(wide(50))).toBeNull();
    expect(excessOf([wide(51)])).toBe('must not have more than 50 fields');
  });

  it('holds texts of up to 1,024 characters, names included', () => {
    expect(excessOf({ a: 'x'.repeat(1_024) })).toBeNull();
    expect(excessOf({ a: 'x'.repeat(1_025) })).toMatch('1024');
    expect(excessOf({ ['x'.repeat(1_025)]: 1 })).toMatch('1024');
  });

  it('is up to 32 KB as JSON', () => {
    const texts = Array.from({ length: 32 }, () => 'x'.repeat(1_021));
    const full = [...texts.slice(1), 'x'.repeat(1_020)];
    expect(Buffer.byteLength(JSON.stringify(full))).toBe(32 * 1024);
    expect(excessOf(full)).toBeNull();
    expect(excessOf(texts)).toMatch('32768');
  });

  it('may be nothing', () => {
    expect(excessOf(null)).toBeNull();
  });
});
