import { describe, expect, it } from '@jest/globals';
import { dayOfCell, type DayOrder } from './csv-day.rules.js';

describe('a day in a spreadsheet', () => {
  it.each<[string, DayOrder | undefined, string]>([
    ['2025-01-31', undefined, '2025-01-31'],
    ['2024-02-29', undefined, '2024-02-29'],
    ['45658', undefined, '2025-01-01'],
    ['61', undefined, '1900-03-01'],
    ['2958465', undefined, '9999-12-31'],
    ['03/04/2025', 'DMY', '2025-04-03'],
    ['03/04/2025', 'MDY', '2025-03-04'],
    ['3.4.2025', 'DMY', '2025-04-03'],
    ['31-01-2025', 'DMY', '2025-01-31'],
  ])('%s (%s) is %s', (cell, order, day) => {
    expect(dayOfCell(cell, order)).toEqual({ day });
  });

  it.each<[string, DayOrder | undefined]>([
    ['2025-02-29', undefined],
    ['2025-13-01', undefined],
    ['03/04/2025', undefined],
    ['31/01/2025', 'MDY'],
    ['31/02/2025', 'DMY'],
    ['60', undefined],
    ['2958466', undefined],
    ['45658.5', undefined],
    ['', undefined],
    ['2025-1-1', undefined],
    ['Jan 1 2025', 'DMY'],
    ['03/04/25', 'DMY'],
  ])('%p (%s) is none', (cell, order) => {
    expect(dayOfCell(cell, order)).toHaveProperty('fault');
  });
});
