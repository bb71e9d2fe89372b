import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { everything, shown, type Level, type SeenPerson } from './person.rules.js';

const ken: SeenPerson = {
  id: '01991c00-0000-7000-8000-0000000a1b2c',
  kind: 'person',
  status: 'active',
  username: 'ken.sanchez',
  displayName: 'Ken Sánchez',
  givenName: 'Ken',
  familyName: 'Sánchez',
  email: 'ken@adventure-works.com',
  employeeNo: '1',
  avatarUrl: 'https://pictures.example/ken.jpg',
  levels: everything,
};

describe('a person on the way out', () => {
  it('is complete for whoever may see everything', () => {
    expect(shown(ken)).toMatchObject({
      displayName: 'Ken Sánchez',
      username: 'ken.sanchez',
      employeeNo: '1',
      masked: [],
    });
  });

  it.each<[Level, string]>([
    ['partial', 'K•••'],
    ['hidden', 'Operator #0A1B2C'],
  ])('whose name is %s is called %s', (name, displayName) => {
    expect(shown({ ...ken, levels: { ...everything, name } })).toMatchObject({
      displayName,
      givenName: null,
      familyName: null,
      masked: ['name'],
    });
  });

  it.each([
    ['ken.sanchez', 'ke••••ez'],
    ['abcdef', 'ab••••ef'],
    ['ken00', '••••'],
  ])('with the username %s is %s to colleagues', (username, partly) => {
    expect(shown({ ...ken, username, levels: { ...everything, username: 'partial' } }).username).toBe(partly);
  });

  it('says which fields are masked, not whether they had a value', () => {
    const levels = { name: 'full', username: 'full', email: 'hidden', employeeNo: 'hidden', avatar: 'hidden' } as const;
    expect(shown({ ...ken, email: null, levels })).toEqual(shown({ ...ken, levels }));
  });

  it('with a masked name shows no two letters of it side by side, whatever the name', () => {
    const letters = fc.stringMatching(/^\p{L}[\p{L}\p{M}' -]{1,40}$/u);
    fc.assert(
      fc.property(letters, fc.constantFrom<Level>('partial', 'hidden'), fc.uuid({ version: 7 }), (name, level, id) => {
        const answer = shown({ ...ken, id, displayName: name, levels: { ...everything, name: level } });
        const text = answer.displayName.replace(/^Operator #[0-9A-F]{6}$/, '');
        const pairs = [...name.normalize('NFC').matchAll(/(?=(\p{L}{2}))/gu)].map((match) => match[1] ?? '');
        for (const pair of pairs) expect(text).not.toContain(pair);
      }),
      { numRuns: 2_000 },
    );
  });

  it('with everything hidden carries no value but the id', () => {
    const hidden = {
      name: 'hidden',
      username: 'hidden',
      email: 'hidden',
      employeeNo: 'hidden',
      avatar: 'hidden',
    } as const;
    const { id, kind, status, displayName, masked, ...rest } = shown({ ...ken, levels: hidden });
    expect({ id, kind, status, displayName }).toEqual({
      id: ken.id,
      kind: 'person',
      status: 'active',
      displayName: 'Operator #0A1B2C',
    });
    expect(masked).toEqual(['name', 'username', 'email', 'employeeNo', 'avatar']);
    expect(Object.values(rest).every((value) => value === null)).toBe(true);
  });
});
