import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { InvalidRequest } from '../problem/problem.js';
import { decodeCursor, encodeCursor, listFrom, page } from './list.js';

const shape = z.tuple([z.string(), z.uuid()]);
const key = ['Jürgen', '019a0000-0000-7000-8000-000000000001'] as const;

describe('a cursor', () => {
  it('gives back the values it was made of', () => {
    expect(decodeCursor(encodeCursor(key), shape)).toEqual(key);
    expect(decodeCursor(undefined, shape)).toBeUndefined();
  });

  it.each([
    ['nothing of ours', 'abc'],
    ['cut short', encodeCursor(key).slice(0, -4)],
    ['of another list', encodeCursor([1])],
    ['with a value of the wrong kind', encodeCursor(['Jürgen', 'no id'])],
    ['empty', ''],
  ])('that is %s is refused', (_name, cursor) => {
    expect(() => decodeCursor(cursor, shape)).toThrow(InvalidRequest);
  });
});

describe('a page', () => {
  const list = (rows: number, limit: number) =>
    listFrom(
      Array.from({ length: rows }, (_, n) => n),
      limit,
      (n) => [n],
      (n) => ({ n }),
    );

  it('names the last row shown as the place to go on, when a further row was read', () => {
    expect(list(3, 2)).toEqual({ items: [{ n: 0 }, { n: 1 }], next: encodeCursor([1]) });
  });

  it.each([0, 1, 2])('is the last one when %i of 2 rows were read', (rows) => {
    expect(list(rows, 2).next).toBeNull();
  });

  it.each([
    ['0', false],
    ['1', true],
    ['200', true],
    ['201', false],
    ['1.5', false],
    ['many', false],
  ])('of limit %s: %s', (limit, taken) => {
    expect(page.safeParse({ limit }).success).toBe(taken);
  });

  it('has 50 items unless said, and takes no parameter it does not know', () => {
    expect(page.parse({})).toEqual({ limit: 50 });
    expect(page.safeParse({ limt: '5' }).success).toBe(false);
  });
});
