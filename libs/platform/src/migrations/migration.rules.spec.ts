import { describe, expect, it } from '@jest/globals';
import { type BuiltMigration, migrationName } from './ledger.js';
import type { LedgerRow } from './ledger-table.js';
import { batchesOf, stepsDown, stepsUp } from './migration.rules.js';

const built = (...names: string[]): BuiltMigration[] =>
  names.map((name) => ({
    name,
    checksum: `of ${name}`,
    migration: { up: () => Promise.resolve(), down: () => Promise.resolve() },
  }));

const row = (name: string, state: LedgerRow['state'], checksum = `of ${name}`): LedgerRow => ({
  name,
  state,
  checksum,
  at: new Date(0),
});

const names = (steps: readonly { name: string }[]) => steps.map((step) => step.name);

describe('going up', () => {
  it('takes what is not applied, oldest first', () => {
    const steps = stepsUp('sop', built('1-a', '2-b', '3-c'), [row('2-b', 'applied'), row('3-c', 'parked')]);
    expect(steps.map((step) => [step.name, step.again])).toEqual([
      ['1-a', false],
      ['3-c', true],
    ]);
  });

  it('stops behind the one that is named', () => {
    expect(names(stepsUp('sop', built('1-a', '2-b', '3-c'), [], { to: '2-b' }))).toEqual(['1-a', '2-b']);
  });

  it('leaves parked what only the ledger knows, unless it is named', () => {
    const rows = [row('1-a', 'applied'), row('2-newer', 'parked'), row('3-newest', 'parked')];
    expect(stepsUp('sop', built('1-a'), rows)).toEqual([]);
    expect(stepsUp('sop', built('1-a'), rows, { to: '2-newer' })).toEqual([
      { name: '2-newer', direction: 'up', checksum: 'of 2-newer', migration: undefined, again: true },
    ]);
  });

  it('is refused when the file of an applied or parked migration was changed, and names it', () => {
    for (const state of ['applied', 'parked'] as const) {
      expect(() => stepsUp('sop', built('1-a', '2-b'), [row('1-a', state, 'of something else')])).toThrow(
        'migrations/sop/1-a.ts was changed',
      );
    }
  });

  it('is refused when nothing has the name to stop at', () => {
    expect(() => stepsUp('sop', built('1-a'), [], { to: '9-z' })).toThrow('no migration 9-z');
  });
});

describe('going down', () => {
  it('takes what is applied, newest first', () => {
    const rows = [row('1-a', 'applied'), row('2-b', 'parked'), row('3-c', 'applied')];
    expect(names(stepsDown('sop', built('1-a', '2-b', '3-c'), rows))).toEqual(['3-c', '1-a']);
  });

  it('leaves the one that is named applied', () => {
    const rows = [row('1-a', 'applied'), row('2-b', 'applied')];
    expect(names(stepsDown('sop', built('1-a', '2-b'), rows, { to: '1-a' }))).toEqual(['2-b']);
    expect(stepsDown('sop', built('1-a', '2-b'), rows, { to: '2-b' })).toEqual([]);
  });

  it('takes exactly those that are listed, and says when one of them is none', () => {
    const rows = [row('1-a', 'applied'), row('2-b', 'applied'), row('3-c', 'parked')];
    expect(names(stepsDown('sop', built('1-a', '2-b', '3-c'), rows, { only: ['1-a', '3-c'] }))).toEqual(['1-a']);
    expect(() => stepsDown('sop', built('1-a'), rows, { only: ['9-z'] })).toThrow('no migration 9-z');
    expect(names(stepsUp('sop', built('1-a', '2-b', '3-c'), rows, { only: ['3-c'] }))).toEqual(['3-c']);
    expect(names(stepsUp('sop', built('1-a'), rows, { only: ['3-c'] }))).toEqual(['3-c']);
  });

  it('does not use a file that is not what was applied', () => {
    const [changed, missing] = stepsDown('sop', built('2-b'), [
      row('1-a', 'applied'),
      row('2-b', 'applied', 'of something else'),
    ]);
    expect(changed).toMatchObject({ name: '2-b', checksum: 'of something else', migration: undefined });
    expect(missing).toMatchObject({ name: '1-a', migration: undefined });
  });

  it('is refused when the one to stop at is not applied', () => {
    expect(() => stepsDown('sop', built('1-a'), [row('1-a', 'parked')], { to: '1-a' })).toThrow('no migration 1-a');
  });
});

describe('sharing transactions', () => {
  it('cuts around what stands alone', () => {
    expect(batchesOf([1, 2, 30, 3, 40, 50], (step) => step >= 10)).toEqual([[1, 2], [30], [3], [40], [50]]);
    expect(batchesOf([], () => true)).toEqual([]);
  });
});

describe('the name of a migration', () => {
  it('is that of its file', () => {
    expect(migrationName('CreateProcedure1764000100000')).toBe('1764000100000-create-procedure');
    expect(migrationName('AddOemJobTicketStep1764000100001')).toBe('1764000100001-add-oem-job-ticket-step');
  });

  it.each([
    'CreateProcedure',
    'CreateProcedure17640001000',
    'CreateProcedure17640001000000',
    'createProcedure1764000100000',
  ])('is refused for %s', (className) => {
    expect(() => migrationName(className)).toThrow('13 digits');
  });
});
