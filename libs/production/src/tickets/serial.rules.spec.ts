import { describe, expect, it } from '@jest/globals';
import { serialOf, skuOfSerial } from './serial.rules.js';

const seventh = { prefix: 'BLY', line: 'atelier', sku: 'TOTE12', day: '2025-11-15', seq: 7 } as const;

describe('a serial', () => {
  it('is what it was in the golden', () => {
    expect(serialOf(seventh, 'demo-key')).toBe('BLY-ATL-TOTE12-20251115-00007-RGPD-C');
  });

  it('is another with another key, and its check character then fits again', () => {
    const other = serialOf(seventh, 'other-key');
    expect(other).toMatch(/^BLY-ATL-TOTE12-20251115-00007-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-Z]$/);
    expect(other).not.toBe(serialOf(seventh, 'demo-key'));
  });

  it('tells each line and grows beyond five digits', () => {
    expect(serialOf({ ...seventh, line: 'oem', seq: 99_999 }, 'k')).toContain('BLY-OEM-TOTE12-20251115-99999-');
    expect(serialOf({ ...seventh, line: 'hybrid', seq: 100_000 }, 'k')).toContain('BLY-HYB-TOTE12-20251115-100000-');
  });

  it('carries the letters and digits of the SKU alone', () => {
    expect(skuOfSerial('tote/12 ü')).toBe('TOTE12');
    expect(skuOfSerial('¿?')).toBe('');
  });
});
