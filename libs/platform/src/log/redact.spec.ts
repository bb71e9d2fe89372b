import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { REDACTED, redact, redactText } from './redact.js';

const secret = 'hunter2-hunter2';

describe('what is logged', () => {
  it.each([
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'password',
    'newPassword',
    'password_hash',
    'token',
    'refreshToken',
    'access_token',
    'METRICS_TOKEN',
    'clientSecret',
    'SECRET_KEY',
    'apiKey',
  ])('hides what is under %s', (key) => {
    expect(redact({ [key]: secret })).toEqual({ [key]: REDACTED });
  });

  it.each(['tokenId', 'tokens', 'author', 'passwordChangedAt', 'secretary', 'key'])('shows what is under %s', (key) => {
    expect(redact({ [key]: 'shown' })).toEqual({ [key]: 'shown' });
  });

  it('never has a secret, wherever in the facts it is', () => {
    const key = fc.constantFrom('password', 'token', 'Authorization', 'secret');
    const path = fc.array(fc.constantFrom('list', 'req', 'headers', 'error'), { maxLength: 12 });
    fc.assert(
      fc.property(key, path, (name, names) => {
        const facts = names.reduceRight<object>(
          (inner, at) => {
            if (at === 'list') return { items: [inner] };
            return at === 'error' ? { err: Object.assign(new Error('failed'), { config: inner }) } : { [at]: inner };
          },
          { [name]: secret },
        );
        expect(JSON.stringify(redact(facts))).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps everything else as it is', () => {
    const at = new Date();
    const facts = { at, seq: 3n, none: null, absent: undefined, list: [1, { ok: true }], token: null };
    expect(redact(facts)).toEqual(facts);
  });

  it('hides bearer tokens, API tokens and passwords of addresses inside texts', () => {
    expect(redactText(`Authorization: Bearer ${secret} refused`)).toBe(`Authorization: ${REDACTED} refused`);
    expect(redactText('token bly_abc123 expired')).toBe(`token ${REDACTED} expired`);
    expect(redactText(`postgres://belay:${secret}@db:5432/belay`)).toBe(`postgres://belay:${REDACTED}@db:5432/belay`);
    expect(redactText('https://db:5432/belay?at=12:30@noon')).toBe('https://db:5432/belay?at=12:30@noon');
    expect(redact({ err: new Error(`Bearer ${secret}`) })).toMatchObject({ err: { message: REDACTED } });
  });

  it('has of a failed statement its SQL and its constraint, and nothing of the row', () => {
    const failure = Object.assign(new pg.DatabaseError('violates check', 1, 'error'), {
      code: '23514',
      constraint: 'hash_is_long',
      detail: `Failing row contains (${secret}).`,
      where: `COPY account, line 1: "${secret}"`,
    });
    const { err } = redact({ err: new QueryFailedError('INSERT INTO password VALUES ($1)', [secret], failure) });
    expect(err).toMatchObject({ type: 'QueryFailedError', code: '23514', constraint: 'hash_is_long' });
    expect(err).toMatchObject({ query: 'INSERT INTO password VALUES ($1)' });
    expect(JSON.stringify(err)).not.toContain(secret);
  });

  it('ends, whatever it is given', () => {
    const ring: Record<string, unknown> = {};
    for (const key of 'abcdefgh') ring[key] = ring;
    expect(JSON.stringify(redact({ ring })).length).toBeLessThan(1_000_000);
    expect(redact({ bytes: Buffer.from(secret) })).toEqual({ bytes: '[15 bytes]' });
  });
});
