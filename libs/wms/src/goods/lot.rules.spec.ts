import { describe, expect, it } from '@jest/globals';
import { datesAreInOrder } from './lot.rules.js';

describe('the days of a lot', () => {
  it.each([
    [{}, true],
    [{ expiresOn: '2025-01-01' }, true],
    [{ manufacturedOn: '2025-01-01', bestBeforeOn: '2025-01-01', expiresOn: '2025-01-01' }, true],
    [{ manufacturedOn: '2025-01-01', bestBeforeOn: null, expiresOn: '2025-01-02' }, true],
    [{ manufacturedOn: '2025-01-02', bestBeforeOn: null, expiresOn: '2025-01-01' }, false],
    [{ manufacturedOn: '2025-01-02', bestBeforeOn: '2025-01-01' }, false],
    [{ bestBeforeOn: '2025-01-02', expiresOn: '2025-01-01' }, false],
  ])('%j follow each other: %s', (dates, inOrder) => {
    expect(datesAreInOrder(dates)).toBe(inOrder);
  });
});
