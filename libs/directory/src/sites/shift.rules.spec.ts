import { describe, expect, it } from '@jest/globals';
import { defaultShifts, overlap, type ShiftTimes } from './shift.rules.js';

const shift = (code: ShiftTimes['code'], starts: string, ends: string): ShiftTimes => ({ code, starts, ends });

describe('the shifts of a site', () => {
  it('cover the day by default without overlapping', () => {
    expect(overlap(defaultShifts)).toBeUndefined();
  });

  it.each([
    ['touch', [shift('morning', '06:00', '14:00'), shift('evening', '14:00', '22:00')], false],
    ['share a minute', [shift('morning', '06:00', '14:01'), shift('evening', '14:00', '22:00')], true],
    ['touch over midnight', [shift('night', '22:00', '06:00'), shift('morning', '06:00', '14:00')], false],
    ['share the early morning', [shift('night', '22:00', '06:01'), shift('morning', '06:00', '14:00')], true],
    ['lie inside each other', [shift('morning', '06:00', '14:00'), shift('evening', '08:00', '09:00')], true],
    [
      'start at the same time and last all day',
      [shift('morning', '06:00', '06:00'), shift('night', '23:00', '01:00')],
      true,
    ],
    [
      'are the whole day and a part of it',
      [shift('full', '00:00', '00:00'), shift('morning', '06:00', '14:00')],
      false,
    ],
  ])('that %s', (_, shifts, overlapping) => {
    expect(overlap(shifts) !== undefined).toBe(overlapping);
  });
});
