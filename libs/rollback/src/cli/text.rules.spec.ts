import { describe, expect, it } from '@jest/globals';
import { count, duration, paragraphs, size, table } from './text.rules.js';

describe('what commands print', () => {
  it('stands in columns', () => {
    expect(
      table(
        ['flag', 'mode'],
        [
          ['enable_wms_module', 'off'],
          ['x', 'read_only'],
        ],
      ),
    ).toBe('FLAG               MODE\nenable_wms_module  off\nx                  read_only');
    expect(table(['flag'], [])).toBe('');
  });

  it('leaves out what says nothing', () => {
    expect(paragraphs('a', '', undefined, false, 'b')).toBe('a\n\nb');
  });

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [10, '10 s'],
    [89.4, '89 s'],
    [90, '1 min 30 s'],
    [300, '5 min'],
  ])('tells %d seconds as %s', (seconds, told) => {
    expect(duration(seconds)).toBe(told);
  });

  it.each([
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [3_400_000, '3.4 MB'],
  ])('tells %d bytes as %s', (bytes, told) => {
    expect(size(bytes)).toBe(told);
  });

  it('counts in words', () => {
    expect([count(1, 'step'), count(2, 'step'), count(0, 'entry', 'entries')]).toEqual([
      '1 step',
      '2 steps',
      '0 entries',
    ]);
  });
});
