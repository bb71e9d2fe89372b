import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Seal } from './seal.js';

const secret = () => randomBytes(32).toString('base64');

describe('a seal', () => {
  it('opens what it has sealed, and seals the same thing differently each time', () => {
    const seal = new Seal(secret());
    const first = seal.seal('key-1', Buffer.from('private'));
    expect(seal.open('key-1', first).toString()).toBe('private');
    expect(seal.seal('key-1', Buffer.from('private'))).not.toEqual(first);
    expect(first.includes('private')).toBe(false);
  });

  it('opens neither under another name, nor under another key, nor after a changed bit', () => {
    const seal = new Seal(secret());
    const sealed = seal.seal('key-1', Buffer.from('private'));
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;

    expect(() => seal.open('key-2', sealed)).toThrow();
    expect(() => new Seal(secret()).open('key-1', sealed)).toThrow();
    expect(() => seal.open('key-1', changed)).toThrow();
  });

  it.each([31, 33])('refuses a key of %i bytes', (bytes) => {
    expect(() => new Seal(randomBytes(bytes).toString('base64'))).toThrow(/SECRET_KEY/);
  });
});
